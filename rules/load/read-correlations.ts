import {
  type Comparison,
  type Correlation,
  type CorrelationType,
  compare,
  comparisonOperators,
  contextFields,
  correlationTypes,
  labelOf,
  matches,
  mostParts,
  mostThreshold,
  type Part,
  parseFiringOutput,
} from '#correlate'
import { parsePriority, priorityNames } from '#engine'
import { nearestName, parseFieldName, unfilledFields } from '#events'
import {
  type Diagnostic,
  makeDiagnostic,
  type Position,
  positionOf,
  type SourceFile,
} from './diagnostic.ts'
import type { FileResult } from './load-rules.ts'
import { NodeReader } from './node-reader.ts'
import { parseDuration } from './read-duration.ts'
import type { RuleSet } from './rule-set.ts'
import { readYaml, type YamlNode, type YamlScalar } from './yaml-tree.ts'

export interface LoadedCorrelation extends Correlation {
  readonly at: Position
}

export interface CorrelationsResult {
  readonly ok: boolean
  readonly correlations: readonly LoadedCorrelation[]
  readonly files: readonly FileResult[]
}

/** Reads correlation files over loaded rules; all mistakes are found at once, each with its place. */
export function readCorrelations(
  files: readonly SourceFile[],
  ruleSet: RuleSet,
): CorrelationsResult {
  const correlations: LoadedCorrelation[] = []
  const read = files.map((file) => {
    const diagnostics: Diagnostic[] = []
    return { file, diagnostics, readers: itemsOf(file, (each) => diagnostics.push(each)) }
  })
  const names = new Set(
    read.flatMap(({ readers }) => readers.flatMap((reader) => nameIn(reader) ?? [])),
  )
  const taken = new Set<string>()
  const results = read.map(({ file, diagnostics, readers }): FileResult => {
    for (const reader of readers) {
      const correlation = new CorrelationReader(reader, ruleSet, names, taken).read()
      if (correlation !== undefined) correlations.push(correlation)
    }
    return { file, diagnostics: diagnostics.sort((a, b) => a.at.offset - b.at.offset) }
  })
  const all = results.flatMap(({ diagnostics }) => diagnostics)
  return { ok: all.every(({ severity }) => severity !== 'error'), correlations, files: results }
}

function nameIn({ map }: NodeReader): string | undefined {
  const name = map.get('correlation')
  return name?.kind === 'scalar' ? name.text : undefined
}

function itemsOf(file: SourceFile, report: (diagnostic: Diagnostic) => void): NodeReader[] {
  const whole = { file, at: 0, end: 0 }
  const context = { type: 'correlations content', name: '', place: whole }
  const { documents, problems } = readYaml(file)
  for (const { message, place } of problems) {
    report(makeDiagnostic('LOAD_ERR_YAML_PARSE', message, place, context))
  }
  const shape = (message: string, { place }: YamlNode) =>
    report(makeDiagnostic('LOAD_ERR_YAML_VALIDATE', message, place, context))
  return documents.flatMap((document) => {
    if (document.kind === 'scalar' && document.isNull) return []
    if (document.kind !== 'seq') {
      shape('a correlation file is a sequence of correlations', document)
      return []
    }
    return document.items.flatMap((item) => {
      if (item.kind === 'map') {
        const of = { parent: context, type: 'correlation', name: '', place: item.place }
        return [new NodeReader(item, of, report)]
      }
      shape('a correlation is a map', item)
      return []
    })
  })
}

const day = 86_400_000_000_000n
const common = ['correlation', 'desc', 'type', 'rules', 'group-by', 'lateness', 'generate']
const shown = ['output', 'priority', 'tags']
/** Keys of a type beside the common ones; those of other types are refused by name. */
const ownKeys: Readonly<Record<CorrelationType, readonly string[]>> = {
  event_count: ['timespan', 'condition'],
  value_count: ['timespan', 'condition'],
  temporal: ['timespan'],
  temporal_ordered: ['timespan'],
  new_terms: ['field', 'history', 'learning'],
}
const allKeys = [...common, ...new Set(Object.values(ownKeys).flat()), ...shown]

/** Reads one correlation. */
class CorrelationReader {
  readonly #reader: NodeReader
  readonly #ruleSet: RuleSet
  /** Of all correlations. */
  readonly #names: ReadonlySet<string>
  readonly #taken: Set<string>

  constructor(
    reader: NodeReader,
    ruleSet: RuleSet,
    names: ReadonlySet<string>,
    taken: Set<string>,
  ) {
    this.#reader = reader
    this.#ruleSet = ruleSet
    this.#names = names
    this.#taken = taken
  }

  read(): LoadedCorrelation | undefined {
    const reader = this.#reader
    const name = reader.required('correlation')
    if (name !== undefined) this.#claim(name)
    const description = reader.required('desc')
    const type = this.#type()
    this.#keys(reader, type === undefined ? allKeys : [...common, ...ownKeys[type], ...shown], type)
    const parts = this.#parts(type)
    const groupBy = this.#groupBy()
    const isTerm = type === 'new_terms'
    const timespan = isTerm || type === undefined ? 0n : this.#duration('timespan', 30n * day)
    const lateness = this.#duration('lateness', day, '2m', 0n)
    const { conditions, field } = this.#condition(type, groupBy)
    const history = this.#duration('history', 400n * day, '14d')
    const learning = this.#duration('learning', 400n * day, '0s', 0n)
    const generate = reader.bool('generate') ?? true
    const output = this.#output(groupBy)
    const priority = this.#priority()
    const tags = reader.texts('tags', 'tag')?.map(({ text }) => text) ?? []
    if (reader.failed || name === undefined || type === undefined) return undefined
    return {
      name: name.text,
      description: description!.text,
      type,
      parts,
      groupBy,
      timespan,
      lateness,
      conditions,
      ...(field !== undefined && { field }),
      ...(isTerm && { history, learning }),
      generate,
      output: output!,
      priority: priority!,
      tags: [...new Set(tags)].sort(),
      at: positionOf(name.place),
    }
  }

  #claim({ text, place }: YamlScalar): void {
    const { rules, inactive } = this.#ruleSet
    const wrong = (what: string) => this.#reader.error('LOAD_ERR_VALIDATE', what, place)
    if (this.#taken.has(text)) wrong(`there is another correlation "${text}"`)
    else if ([...rules, ...inactive].some((rule) => rule.name === text)) {
      wrong(`there is a rule "${text}": alerts of the two could not be told apart`)
    }
    this.#taken.add(text)
  }

  #type(): CorrelationType | undefined {
    const node = this.#reader.required('type')
    const type = correlationTypes.find((known) => known === node?.text)
    if (node === undefined || type !== undefined) return type
    const hint = meant(node.text, correlationTypes) || `: one of ${correlationTypes.join(', ')}`
    return this.#reader.invalid(`there is no correlation type "${node.text}"${hint}`, node.place)
  }

  #keys({ map, context }: NodeReader, known: readonly string[], type?: string): void {
    const seen = new Set<string>()
    for (const { key, keyPlace } of map.entries) {
      const fail = (message: string) => this.#reader.invalid(message, keyPlace, context)
      if (seen.has(key)) fail(`${key} is given twice`)
      else if (known.includes(key)) seen.add(key)
      else if (type !== undefined && allKeys.includes(key)) fail(`${key} does not go with ${type}`)
      else fail(`there is no key "${key}" here${meant(key, known)}`)
    }
  }

  #parts(type: CorrelationType | undefined): Part[] {
    const reader = this.#reader
    if (!reader.has('rules')) reader.invalid('rules is missing', reader.context.place)
    const nodes = reader.texts('rules', 'rule name')
    if (nodes === undefined) return []
    const parts = nodes.map((node) => this.#part(node))
    const place = reader.place('rules')
    const labels = parts.map(labelOf)
    const twice = labels.findIndex((label, i) => labels.indexOf(label) !== i)
    if (twice >= 0) reader.invalid(`"${labels[twice]}" is given twice`, nodes[twice]!.place)
    if (parts.length === 0) reader.invalid('rules must not be empty', place)
    if (parts.length > mostParts) reader.invalid(`rules holds at most ${mostParts}`, place)
    if (parts.length === 1 && type?.startsWith('temporal') === true) {
      reader.invalid(`${type} needs two rules or tags at least`, place)
    }
    return parts
  }

  #part({ text, place }: YamlScalar): Part {
    const { rules, inactive } = this.#ruleSet
    const part: Part = text.startsWith('tag=') ? { tag: text.slice(4) } : { rule: text }
    const found = rules.filter((rule) => matches(part, rule))
    const reader = this.#reader
    if (found.some(({ enabled }) => enabled)) return part
    if (found.length > 0) {
      const message = `"${text}" is disabled: it never takes part`
      reader.warn('LOAD_WARNING_EXTENSION', message, place)
    } else if ('tag' in part) {
      const hint = meant(
        part.tag,
        rules.flatMap(({ tags }) => tags),
      )
      reader.error('LOAD_ERR_VALIDATE', `no rule has the tag "${part.tag}"${hint}`, place)
    } else if (this.#names.has(text)) {
      const message = `"${text}" is a correlation: only rules can be named here`
      reader.error('LOAD_ERR_VALIDATE', message, place)
    } else {
      const reason = inactive.find(({ name }) => name === text)?.reason
      const names = rules.map(({ name }) => name)
      const message =
        reason === undefined
          ? `there is no rule "${text}"${meant(text, names)}`
          : `the rule "${text}" is inactive: ${reason}`
      reader.error('LOAD_ERR_VALIDATE', message, place)
    }
    return part
  }

  #groupBy(): string[] {
    const nodes = this.#reader.texts('group-by', 'field') ?? []
    for (const node of nodes) this.#field(node)
    const names = nodes.map(({ text }) => text)
    const twice = names.findIndex((name, i) => names.indexOf(name) !== i)
    if (twice >= 0) this.#reader.invalid(`"${names[twice]}" is given twice`, nodes[twice]!.place)
    return names
  }

  #field({ text, place }: YamlScalar): void {
    if ((contextFields as readonly string[]).includes(text)) return
    const result = parseFieldName(text)
    if ('ref' in result) {
      if (!unfilledFields.has(result.ref.name)) return
      const message = `${text} has no value here: the correlation never fires`
      this.#reader.warn('LOAD_WARNING_EXTENSION', message, place)
      return
    }
    const nearest = nearestName(text, contextFields) ?? result.nearest
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    this.#reader.error('LOAD_ERR_VALIDATE', `${text}: ${result.problem}${hint}`, place)
  }

  /** Required where there is no default. A default of another type's key does no harm. */
  #duration(key: string, most: bigint, otherwise?: string, least = 1n): bigint {
    const reader = this.#reader
    const node = otherwise === undefined ? reader.required(key) : reader.text(key)
    if (node === undefined) return otherwise === undefined ? 0n : parseDuration(otherwise)!
    const duration = parseDuration(node.text)
    if (duration === undefined) {
      reader.invalid(`${key} is a duration like 60s, 5m or 14d, not "${node.text}"`, node.place)
    } else if (duration < least) reader.invalid(`${key} must be longer than nothing`, node.place)
    else if (duration > most) {
      reader.invalid(`${key} is at most ${most / day}d, not ${node.text}`, node.place)
    }
    return duration ?? 0n
  }

  #condition(
    type: CorrelationType | undefined,
    groupBy: readonly string[],
  ): {
    conditions: readonly Comparison[]
    field: string | undefined
  } {
    const reader = this.#reader
    if (type === 'new_terms') {
      const field = reader.required('field')
      if (field !== undefined) this.#field(field)
      return { conditions: [], field: field?.text }
    }
    if (type !== 'event_count' && type !== 'value_count')
      return { conditions: [], field: undefined }
    const node = reader.map.get('condition')
    if (node?.kind !== 'map') {
      const wrong = node === undefined ? 'is missing: a map' : 'must be a map'
      const example = type === 'value_count' ? '{field: fd.sip, gte: 20}' : '{gte: 20}'
      const place = node?.place ?? reader.context.place
      reader.invalid(`condition ${wrong} like ${example}`, place)
      return { conditions: [], field: undefined }
    }
    const inner = reader.nested(node, reader.within('condition', node))
    const counts = type === 'value_count'
    this.#keys(inner, counts ? [...comparisonOperators, 'field'] : comparisonOperators)
    const conditions = comparisonOperators.flatMap((operator): Comparison[] => {
      const bound = inner.unsigned(operator)
      if (bound === undefined) return []
      if (bound <= mostThreshold) return [{ operator, bound }]
      inner.invalid(`${operator} is at most ${mostThreshold}`, inner.place(operator))
      return []
    })
    const field = counts ? inner.required('field') : undefined
    if (field !== undefined) {
      this.#field(field)
      if (groupBy.includes(field.text)) {
        inner.invalid(`${field.text} is in group-by: a group has only one value of it`, field.place)
      }
    }
    if (inner.failed) reader.failed = true
    else this.#checkConditions(conditions, node)
    return { conditions, field: field?.text }
  }

  #checkConditions(conditions: readonly Comparison[], { place }: YamlNode): void {
    const known = comparisonOperators.join(', ')
    if (conditions.length === 0) {
      this.#reader.invalid(`the condition compares nothing: ${known}`, place)
      return
    }
    // a window that is judged holds a detection at least
    for (let count = 1; count <= mostThreshold + 1; count++) if (compare(conditions, count)) return
    this.#reader.invalid('the condition can never hold', place)
  }

  #output(groupBy: readonly string[]) {
    const node = this.#reader.required('output')
    if (node === undefined) return undefined
    const result = parseFiringOutput(node.text, groupBy)
    if ('template' in result) return result.template
    const sourced = node.sourced()
    for (const { message, at, end } of result.problems) {
      this.#reader.error('LOAD_ERR_COMPILE_OUTPUT', message, sourced.placeOf(at, end))
    }
    return undefined
  }

  #priority(): number | undefined {
    const node = this.#reader.required('priority')
    if (node === undefined) return undefined
    const priority = parsePriority(node.text)
    if (priority !== undefined) return priority
    const message = `there is no priority "${node.text}": one of ${priorityNames.join(', ')}`
    return this.#reader.invalid(message, node.place)
  }
}

function meant(name: string, candidates: Iterable<string>): string {
  const nearest = nearestName(name, candidates)
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`
}
