import { nearestName } from '#events'
import type { NodeReader } from '../load/node-reader.ts'
import { parseDuration } from '../load/read-duration.ts'
import { fitsPattern } from './match-response.ts'
import { labelKeyProblem, labelValueProblem } from './names.ts'
import { type Limits, type ModeRule, modes, type Protection, type Rate } from './policy.ts'

const second = 1_000_000_000n

/** Reads a `mode` item: how far rules may go, in which clusters and namespaces. */
export function readMode(reader: NodeReader, ruleNames: readonly string[]): ModeRule[] {
  reader.unknownKeys(['mode', 'rules', 'clusters', 'namespaces'])
  const node = reader.required('mode')
  const mode = modes.find((known) => known === node?.text)
  if (node !== undefined && mode === undefined) {
    const nearest = nearestName(node.text, modes)
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    reader.invalid(`there is no mode "${node.text}": one of ${modes.join(', ')}${hint}`, node.place)
  }
  const patterns = (key: string) => reader.texts(key, 'pattern') ?? []
  const rules = patterns('rules')
  for (const { text, place } of rules) {
    if (ruleNames.some((name) => fitsPattern(text, name))) continue
    const nearest = nearestName(text, ruleNames)
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`
    reader.error('LOAD_ERR_VALIDATE', `no response rule is called "${text}"${hint}`, place)
  }
  const clusters = patterns('clusters').map(({ text }) => text)
  const namespaces = patterns('namespaces').map(({ text }) => text)
  if (mode === undefined || reader.failed) return []
  return [{ mode, rules: rules.map(({ text }) => text), clusters, namespaces }]
}

const rateKeys = ['workload', 'namespace', 'cluster', 'breaker'] as const

/** Reads a `limits` item over the limits so far. */
export function readLimits(reader: NodeReader, before: Limits): Limits {
  reader.unknownKeys(['limits'])
  const node = reader.map.get('limits')
  if (node?.kind !== 'map') {
    reader.invalid('limits must be a map', node?.place ?? reader.context.place)
    return before
  }
  const inner = reader.nested(node, reader.within('limits', node))
  inner.unknownKeys([...rateKeys, 'breaker_holds'])
  const rates = rateKeys.map((key) => [key, readRate(inner, key) ?? before[key]] as const)
  const holds = inner.text('breaker_holds')
  const seconds = holds === undefined ? undefined : secondsOf(holds.text)
  if (holds !== undefined && seconds === undefined) {
    inner.invalid(`breaker_holds is a duration like 1h, not "${holds.text}"`, holds.place)
  }
  return {
    ...(Object.fromEntries(rates) as Record<(typeof rateKeys)[number], Rate>),
    breakerSeconds: seconds ?? before.breakerSeconds,
  }
}

/** Reads a `protect` item: what it names is protected beside what is already. */
export function readProtection(reader: NodeReader, before: Protection): Protection {
  reader.unknownKeys(['protect'])
  const node = reader.map.get('protect')
  if (node?.kind !== 'map') {
    reader.invalid('protect must be a map', node?.place ?? reader.context.place)
    return before
  }
  const inner = reader.nested(node, reader.within('protect', node))
  inner.unknownKeys(['namespaces', 'labels'])
  const namespaces = inner.texts('namespaces', 'pattern')?.map(({ text }) => text) ?? []
  const labels = (inner.texts('labels', 'label') ?? []).map(({ text, place }) => {
    const [key = '', value = ''] = text.split('=', 2)
    const problem = labelKeyProblem(key) ?? labelValueProblem(value)
    if (problem !== undefined) inner.invalid(problem, place)
    return text
  })
  return {
    namespaces: [...new Set([...before.namespaces, ...namespaces])],
    labels: [...new Set([...before.labels, ...labels])],
  }
}

function readRate(reader: NodeReader, key: string): Rate | undefined {
  const node = reader.text(key)
  if (node === undefined) return undefined
  const [, digits = '', per = ''] = /^(\d{1,6})\/(\w+)$/.exec(node.text) ?? []
  const seconds = secondsOf(/^[smhd]$/.test(per) ? `1${per}` : per)
  if (digits === '' || Number(digits) === 0 || seconds === undefined) {
    return reader.invalid(`${key} is a rate like 5/h or 10/5m, not "${node.text}"`, node.place)
  }
  return { count: Number(digits), seconds }
}

function secondsOf(text: string): number | undefined {
  const value = parseDuration(text)
  return value === undefined || value < second ? undefined : Number(value / second)
}
