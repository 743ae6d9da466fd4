import { eventTypesOf, parseCondition, printCondition, priorityNames } from '#engine'
import type { LoadedRule, RequiredPlugin, RuleSet } from './rule-set.ts'
import { compareVersions, parseVersion } from './values.ts'

/** How much a change asks of those who rely on the rules, as the official rules count versions. */
export type ChangeLevel = 'patch' | 'minor' | 'major'

export interface RuleSetChange {
  readonly level: ChangeLevel
  readonly kind: 'rule' | 'macro' | 'list' | 'requirement'
  readonly name: string
  readonly what: string
}

const levels: readonly ChangeLevel[] = ['patch', 'minor', 'major']

/** The level of the whole; `undefined` without any change. */
export function dominantLevel(changes: readonly RuleSetChange[]): ChangeLevel | undefined {
  return changes.map(({ level }) => level).sort(byLevel)[0]
}

function byLevel(a: ChangeLevel, b: ChangeLevel): number {
  return levels.indexOf(b) - levels.indexOf(a)
}

/** What changed from one rule set to another, the most serious first. */
export function diffRuleSets(before: RuleSet, after: RuleSet): RuleSetChange[] {
  const changes: RuleSetChange[] = []
  const add = (kind: RuleSetChange['kind'], name: string) => (level: ChangeLevel, what: string) => {
    changes.push({ level, kind, name, what })
  }
  diffRequirements(before, after, add)
  diffNamed(before.lists, after.lists, 'list', add, (a, b, change) => {
    if (a.items.join('\0') !== b.items.join('\0')) change('patch', itemsChange(a.items, b.items))
  })
  diffNamed(before.macros, after.macros, 'macro', add, (a, b, change) => {
    if (normal(a.conditionText) !== normal(b.conditionText)) change('major', 'matches other events')
  })
  diffNamed(before.rules, after.rules, 'rule', add, diffRule)
  return changes.sort((a, b) => byLevel(a.level, b.level))
}

type Change = (level: ChangeLevel, what: string) => void
type Add = (kind: RuleSetChange['kind'], name: string) => Change

interface Named {
  readonly name: string
}

function diffNamed<T extends Named>(
  before: readonly T[],
  after: readonly T[],
  kind: RuleSetChange['kind'],
  add: Add,
  diff: (a: T, b: T, change: Change) => void,
): void {
  const old = new Map(before.map((item) => [item.name, item]))
  const now = new Map(after.map((item) => [item.name, item]))
  const gone = before.filter(({ name }) => !now.has(name))
  for (const item of after) {
    const was = old.get(item.name)
    if (was !== undefined) {
      diff(was, item, add(kind, item.name))
      continue
    }
    const renamed = gone.find((other) => sameBody(other, item))
    add(kind, item.name)('minor', renamed === undefined ? 'added' : `added, as ${renamed.name} was`)
  }
  for (const item of gone) {
    const renamed = after.find((other) => !old.has(other.name) && sameBody(item, other))
    const what = renamed === undefined ? 'removed' : `renamed to ${renamed.name}`
    add(kind, item.name)('major', what)
  }
}

function sameBody(a: object, b: object): boolean {
  const body = (item: object) =>
    'conditionText' in item
      ? normal(String(item.conditionText))
      : 'items' in item
        ? (item.items as readonly string[]).join('\0')
        : ''
  return body(a) !== '' && body(a) === body(b)
}

/** A condition without differences of layout. */
function normal(text: string): string {
  const parsed = parseCondition(text)
  return 'expr' in parsed ? printCondition(parsed.expr) : text
}

function itemsChange(before: readonly string[], after: readonly string[]): string {
  const added = after.filter((item) => !before.includes(item))
  const removed = before.filter((item) => !after.includes(item))
  const parts = [
    ...(added.length > 0 ? [`added ${some(added)}`] : []),
    ...(removed.length > 0 ? [`removed ${some(removed)}`] : []),
  ]
  return parts.join('; ') || 'other order'
}

function some(items: readonly string[]): string {
  const shown = items.slice(0, 5).join(', ')
  return items.length > 5 ? `${shown} and ${items.length - 5} more` : shown
}

function diffRule(a: LoadedRule, b: LoadedRule, change: Change): void {
  if (a.source !== b.source) change('major', `source ${a.source} became ${b.source}`)
  if (a.enabled && !b.enabled) change('major', 'disabled')
  if (!a.enabled && b.enabled) change('patch', 'enabled')
  const removed = a.tags.filter((tag) => !b.tags.includes(tag))
  const added = b.tags.filter((tag) => !a.tags.includes(tag))
  if (removed.length > 0) change('major', `without the tags ${removed.join(', ')}`)
  if (added.length > 0) change('patch', `with the tags ${added.join(', ')}`)
  if (a.priority !== b.priority) {
    const what = `priority ${priorityNames[a.priority]} became ${priorityNames[b.priority]}`
    change(b.priority > a.priority ? 'major' : 'patch', what)
  }
  if (a.outputText !== b.outputText) change('patch', 'other output')
  if (a.description !== b.description) change('patch', 'other description')
  if (normal(a.conditionText) !== normal(b.conditionText)) {
    const now = eventTypesOf(b.condition)
    const isNarrower = eventTypesOf(a.condition).some((had, type) => had === 1 && now[type] === 0)
    if (isNarrower) change('major', 'looks at fewer types of events')
    else change('patch', 'other condition')
  }
}

function diffRequirements(before: RuleSet, after: RuleSet, add: Add): void {
  const [a, b] = [
    parseVersion(before.requiredEngineVersion),
    parseVersion(after.requiredEngineVersion),
  ]
  const order = compareVersions(b ?? [0, 0, 0], a ?? [0, 0, 0])
  if (order !== 0) {
    const what = `${before.requiredEngineVersion || 'none'} became ${after.requiredEngineVersion || 'none'}`
    add('requirement', 'required_engine_version')(order > 0 ? 'minor' : 'patch', what)
  }
  const old = new Map(before.requiredPlugins.map((plugin) => [plugin.name, plugin]))
  for (const plugin of after.requiredPlugins) {
    const was = old.get(plugin.name)
    const change = add('requirement', plugin.name)
    if (was === undefined) change('minor', `plugin ${plugin.version} is needed now`)
    else diffPlugin(was, plugin, change)
  }
  for (const { name } of before.requiredPlugins) {
    if (after.requiredPlugins.some((plugin) => plugin.name === name)) continue
    add('requirement', name)('patch', 'the plugin is needed no more')
  }
}

function diffPlugin(a: RequiredPlugin, b: RequiredPlugin, change: Change): void {
  const order = compareVersions(parseVersion(b.version)!, parseVersion(a.version)!)
  if (order !== 0) {
    change(order > 0 ? 'minor' : 'patch', `version ${a.version} became ${b.version}`)
  }
  const names = (plugin: RequiredPlugin) => plugin.alternatives.map(({ name }) => name)
  const gone = names(a).filter((name) => !names(b).includes(name))
  const more = names(b).filter((name) => !names(a).includes(name))
  if (gone.length > 0) change('major', `${gone.join(', ')} cannot stand in any more`)
  if (more.length > 0) change('patch', `${more.join(', ')} can stand in`)
}
