import type { EventSource } from '#events'
import { type BoundOutput, bindOutput, type JsonValue } from './format-output.ts'
import { type OutputTemplate, parseOutput } from './output-template.ts'
import { type ExtraField, priorityNames, type Rule } from './rule.ts'

/** An alert under Falco's JSON keys, in their alphabetical order. */
export interface Alert {
  readonly hostname: string
  readonly output: string
  readonly output_fields: Readonly<Record<string, JsonValue>>
  readonly priority: string
  readonly rule: string
  readonly source: string
  readonly tags: readonly string[]
  readonly time: string
}

export interface AlertContext {
  readonly hostname: string
  /** Begin the text with the UTC date and time instead of the local time of day. */
  readonly isoTime?: boolean
}

interface BoundAlert<E> {
  readonly output: BoundOutput<E>
  readonly extra: readonly (ExtraField & { readonly bound: BoundOutput<E> })[]
  readonly localTime: BoundOutput<E>
  readonly isoTime: BoundOutput<E>
}

const boundAlerts = new WeakMap<Rule, { source: unknown; alert: BoundAlert<never> }>()

/** The alert that a rule raises for an event. */
export function alertOf<E>(
  rule: Rule,
  event: E,
  source: EventSource<E>,
  context: AlertContext,
): Alert {
  const { output, extra, localTime, isoTime } = bindAlert(rule, source)
  const time = context.isoTime === true ? isoTime : localTime
  const fields: Record<string, JsonValue> = { ...time.fields(event), ...output.fields(event) }
  for (const { key, raw, bound } of extra) {
    if (raw) Object.assign(fields, bound.fields(event))
    else fields[key] = bound.text(event).toWellFormed()
  }
  const priority = priorityNames[rule.priority]!
  const line = `${time.text(event)}: ${priority} ${output.text(event)}`
  return {
    hostname: context.hostname,
    output: line.toWellFormed(),
    output_fields: sorted(fields),
    priority,
    rule: rule.name,
    source: rule.source,
    tags: rule.tags,
    time: isoTime.text(event).replace(/\+0000$/, 'Z'),
  }
}

function bindAlert<E>(rule: Rule, source: EventSource<E>): BoundAlert<E> {
  const known = boundAlerts.get(rule)
  if (known?.source === source) return known.alert as unknown as BoundAlert<E>
  const alert: BoundAlert<E> = {
    output: bindOutput(rule.output, source),
    extra: rule.extraFields.map((field) => ({
      ...field,
      bound: bindOutput(field.template, source),
    })),
    localTime: bindOutput(template('%evt.time'), source),
    isoTime: bindOutput(template('%evt.time.iso8601'), source),
  }
  boundAlerts.set(rule, { source, alert: alert as unknown as BoundAlert<never> })
  return alert
}

function template(text: string): OutputTemplate {
  const result = parseOutput(text)
  if ('problems' in result) throw new Error(result.problems[0]!.message)
  return result.template
}

function sorted(fields: Readonly<Record<string, JsonValue>>): Record<string, JsonValue> {
  return Object.fromEntries(
    Object.keys(fields)
      .sort()
      .map((key) => [key, fields[key]!]),
  )
}

/** One line of JSON; integers beyond the safe range keep all their digits. */
export function alertJson(alert: object): string {
  return json(alert)
}

function json(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `[${value.map(json).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => `${JSON.stringify(key.toWellFormed())}:${json(member)}`)
  return `{${members.join(',')}}`
}

/** The text of an alert as Falco prints it: one line, control characters escaped. */
export function alertText(alert: Alert): string {
  return JSON.stringify(alert.output).slice(1, -1)
}

/** What makes an alert the same one when the event is seen again. */
export interface AlertOrigin {
  readonly cluster: string
  readonly node: string
  readonly boot: string
  /** Random 64-bit number of the sensor run, decimal. */
  readonly run: string
  readonly seq: number
  readonly rule: string
}

/** Deterministic id of an alert: the caller's SHA-256 (as hex) of its origin. */
export function alertId(origin: AlertOrigin, sha256: (text: string) => string): string {
  const { cluster, node, boot, run, seq, rule } = origin
  return sha256(JSON.stringify([cluster, node, boot, run, seq, rule]))
}
