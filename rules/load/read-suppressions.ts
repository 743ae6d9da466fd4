import type { Suppression } from '#artefact'
import { matches, type Part } from '#correlate'
import { checkCondition, type Expr, type Problem, parseCondition, resolveMacros } from '#engine'
import { nearestName } from '#events'
import { type Diagnostic, makeDiagnostic, type SourceFile } from './diagnostic.ts'
import type { FileResult } from './load-rules.ts'
import { NodeReader } from './node-reader.ts'
import type { LoadedCorrelation } from './read-correlations.ts'
import type { RuleSet } from './rule-set.ts'
import { readYaml, type YamlScalar } from './yaml-tree.ts'

export interface SuppressionsResult {
  readonly ok: boolean
  readonly suppressions: readonly Suppression[]
  readonly files: readonly FileResult[]
}

const keys = ['suppression', 'owner', 'reason', 'from', 'until', 'rules', 'condition']

/** Reads suppression files over loaded rules; all mistakes are found at once, each with its place. */
export function readSuppressions(
  files: readonly SourceFile[],
  ruleSet: RuleSet,
  correlations: readonly LoadedCorrelation[],
): SuppressionsResult {
  const suppressions: Suppression[] = []
  const taken = new Set<string>()
  const results = files.map((file): FileResult => {
    const diagnostics: Diagnostic[] = []
    const report = (diagnostic: Diagnostic) => diagnostics.push(diagnostic)
    const context = { type: 'suppressions content', name: '', place: { file, at: 0, end: 0 } }
    const { documents, problems } = readYaml(file)
    for (const { message, place } of problems) {
      report(makeDiagnostic('LOAD_ERR_YAML_PARSE', message, place, context))
    }
    for (const document of documents) {
      if (document.kind === 'scalar' && document.isNull) continue
      const items = document.kind === 'seq' ? document.items : [document]
      for (const item of items) {
        if (document.kind !== 'seq' || item.kind !== 'map') {
          const what = 'a suppression file is a sequence of maps'
          report(makeDiagnostic('LOAD_ERR_YAML_VALIDATE', what, item.place, context))
          continue
        }
        const of = { parent: context, type: 'suppression', name: '', place: item.place }
        const reader = new NodeReader(item, of, report)
        const found = readOne(reader, ruleSet, correlations, taken)
        if (found !== undefined) suppressions.push(found)
      }
    }
    return { file, diagnostics: diagnostics.sort((a, b) => a.at.offset - b.at.offset) }
  })
  const all = results.flatMap(({ diagnostics }) => diagnostics)
  return { ok: all.every(({ severity }) => severity !== 'error'), suppressions, files: results }
}

function readOne(
  reader: NodeReader,
  ruleSet: RuleSet,
  correlations: readonly LoadedCorrelation[],
  taken: Set<string>,
): Suppression | undefined {
  for (const { key, keyPlace } of reader.map.entries) {
    if (keys.includes(key)) continue
    reader.invalid(`there is no key "${key}" here${meant(key, keys)}`, keyPlace)
  }
  const name = reader.required('suppression')
  if (name !== undefined && taken.has(name.text)) {
    reader.invalid(`there is another suppression "${name.text}"`, name.place)
  }
  if (name !== undefined) taken.add(name.text)
  const owner = reader.required('owner')
  const reason = reader.required('reason')
  const from = time(reader, reader.text('from'))
  const until = time(reader, reader.required('until'))
  if (from !== undefined && until !== undefined && from > until) {
    reader.invalid('until lies before from', reader.place('until'))
  }
  const known = [...ruleSet.rules, ...correlations]
  const parts = (reader.texts('rules', 'rule name') ?? []).map((node) => {
    const part: Part = node.text.startsWith('tag=')
      ? { tag: node.text.slice(4) }
      : { rule: node.text }
    if (known.some((rule) => matches(part, rule))) return part
    const names = known.map((rule) => rule.name)
    reader.error(
      'LOAD_ERR_VALIDATE',
      `no rule or correlation is meant by "${node.text}"${meant(node.text, names)}`,
      node.place,
    )
    return part
  })
  const condition = readCondition(reader, reader.text('condition'), ruleSet)
  if (parts.length === 0 && condition === undefined && !reader.failed) {
    reader.invalid(
      'rules or a condition is needed: all of everything is no exception',
      reader.context.place,
    )
  }
  if (reader.failed) return undefined
  return {
    ...{ name: name!.text, owner: owner!.text, reason: reason!.text },
    ...(from !== undefined && { from }),
    ...{ until: until!, parts },
    ...(condition !== undefined && { condition }),
  }
}

/** A condition in the language of rules, with their macros and lists. */
function readCondition(
  reader: NodeReader,
  node: YamlScalar | undefined,
  ruleSet: RuleSet,
): Expr | undefined {
  if (node === undefined) return undefined
  const sourced = node.sourced()
  const fail = (problems: readonly Problem[]) => {
    for (const { message, at, end } of problems) {
      reader.error('LOAD_ERR_COMPILE_CONDITION', message, sourced.placeOf(at, end))
    }
    return undefined
  }
  const parsed = parseCondition(node.text)
  if ('problem' in parsed) return fail([parsed.problem])
  const lists = new Map(ruleSet.lists.map(({ name, items }) => [name, items]))
  const written = withLists(parsed.expr, lists)
  const macros = new Map(ruleSet.macros.map(({ name, condition }) => [name, condition]))
  const resolved = resolveMacros(written, macros)
  const problems = [
    ...checkCondition(written),
    ...(Array.isArray(resolved) ? (resolved as readonly Problem[]) : []),
  ]
  return problems.length > 0 ? fail(problems) : (resolved as Expr)
}

/** The condition with the items of named lists in their place. */
function withLists(expr: Expr, lists: ReadonlyMap<string, readonly string[]>): Expr {
  switch (expr.kind) {
    case 'macro':
      return expr
    case 'not':
      return { ...expr, item: withLists(expr.item, lists) }
    case 'check': {
      const { right } = expr
      if (right?.kind !== 'list') return expr
      const items = right.items.flatMap((item) => {
        const named = lists.get(item.text)
        return named === undefined ? [item] : named.map((text) => ({ ...item, text }))
      })
      return { ...expr, right: { ...right, items } }
    }
    default:
      return { ...expr, items: expr.items.map((item) => withLists(item, lists)) }
  }
}

/** Nanoseconds of a date and time with a time zone. */
function time(reader: NodeReader, node: YamlScalar | undefined): bigint | undefined {
  if (node === undefined) return undefined
  const isFull = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/.test(node.text)
  const milliseconds = isFull ? Date.parse(node.text) : Number.NaN
  if (!Number.isNaN(milliseconds)) return BigInt(milliseconds) * 1_000_000n
  return reader.invalid(
    `"${node.text}" is no time like 2026-12-01T18:00:00Z, with its zone`,
    node.place,
  )
}

function meant(name: string, candidates: Iterable<string>): string {
  const nearest = nearestName(name, candidates)
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`
}
