import { parsePriority, priorityNames } from '#engine'
import { nearestName } from '#events'
import type { RuleItem } from './items.ts'
import type { NodeReader } from './node-reader.ts'
import { readExceptions } from './read-exceptions.ts'
import { type Overridable, readAppend, readOverride } from './read-items.ts'

const overridable: Overridable = {
  append: ['condition', 'output', 'desc', 'tags', 'exceptions'],
  replace: [
    'condition',
    'output',
    'desc',
    'tags',
    'exceptions',
    'priority',
    'enabled',
    'warn_evttypes',
    'skip-if-unknown-filter',
    'capture',
    'capture_duration',
  ],
}

const keys = ['rule', 'source', 'append', 'override', ...overridable.replace]
/** What an item with `append: true` can give; the rest of it is not looked at. */
const appendable = ['condition', 'exceptions']

const body = ['condition', 'output', 'desc', 'priority']

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** One item that defines or changes a rule. */
export function readRule(reader: NodeReader): RuleItem | undefined {
  reader.unknownKeys(keys)
  const name = reader.required('rule')
  const append = readAppend(reader)
  const override = readOverride(reader, overridable)
  const changes = append || override !== undefined
  const enabledOnly = !changes && reader.has('enabled') && !body.some((key) => reader.has(key))
  if (!changes && !enabledOnly) {
    for (const key of body) {
      if (!reader.has(key)) reader.invalid(`${key} is missing`, reader.context.place)
    }
  }
  const wanted = override !== undefined ? [...override.keys()] : append ? appendable : keys
  const rule = readBody(reader, enabledOnly ? ['enabled'] : wanted, changes)
  if (reader.failed || name === undefined) return undefined
  return {
    kind: 'rule',
    name: name.text,
    namePlace: name.place,
    append,
    override,
    enabledOnly,
    context: reader.context,
    ...rule,
  }
}

/** Reads those keys of a rule that count in an item of its kind. */
function readBody(
  reader: NodeReader,
  wanted: readonly string[],
  changes: boolean,
): Partial<RuleItem> {
  const rule: Partial<Mutable<RuleItem>> = {}
  const counts = (key: string) => wanted.includes(key)
  const condition = counts('condition') ? reader.text('condition') : undefined
  if (condition !== undefined) {
    rule.condition = condition.sourced()
    rule.conditionContext = reader.within('rule condition', condition)
  }
  const output = counts('output') ? reader.text('output') : undefined
  if (output !== undefined) {
    rule.output = output.sourced().trim()
    rule.outputContext = reader.within('rule output', output)
  }
  const desc = counts('desc') ? reader.text('desc') : undefined
  if (desc !== undefined) rule.desc = desc.text
  if (counts('priority')) set(rule, 'priority', readPriority(reader))
  readSource(reader, rule, changes)
  if (counts('enabled')) set(rule, 'enabled', reader.bool('enabled'))
  const tags = counts('tags') ? reader.texts('tags', 'value for') : undefined
  if (tags !== undefined) rule.tags = tags.map(({ text }) => text)
  if (counts('exceptions')) set(rule, 'exceptions', readExceptions(reader))
  if (counts('warn_evttypes')) set(rule, 'warnEventTypes', reader.bool('warn_evttypes'))
  if (counts('skip-if-unknown-filter')) {
    set(rule, 'skipIfUnknownFilter', reader.bool('skip-if-unknown-filter'))
  }
  if (counts('capture')) set(rule, 'capture', reader.bool('capture'))
  if (counts('capture_duration')) {
    set(rule, 'captureDuration', reader.unsigned('capture_duration'))
  }
  return rule
}

function set<T, K extends keyof T>(target: T, key: K, value: T[K] | undefined): void {
  if (value !== undefined) target[key] = value
}

function readPriority(reader: NodeReader): number | undefined {
  const node = reader.text('priority')
  if (node === undefined) return undefined
  const priority = parsePriority(node.text)
  if (priority !== undefined) return priority
  const nearest = nearestName(node.text, priorityNames)
  const hint =
    nearest === undefined ? `: one of ${priorityNames.join(', ')}` : `; did you mean ${nearest}?`
  const context = reader.within('rule priority', reader.map.get('priority')!)
  return reader.invalid(`there is no priority "${node.text}"${hint}`, node.place, context)
}

/** An empty source is allowed where an item changes a rule: it leaves the source as it is. */
function readSource(reader: NodeReader, rule: Partial<Mutable<RuleItem>>, changes: boolean): void {
  const node = reader.map.get('source')
  if (node === undefined) return
  const isEmpty = node.kind === 'scalar' && (node.isNull || node.text === '')
  if (isEmpty && changes) return
  const source = reader.text('source')
  if (source === undefined) return
  rule.source = source.text
  rule.sourcePlace = source.place
}
