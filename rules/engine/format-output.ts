import {
  decodeBytes,
  type EventSource,
  type FieldInfo,
  fieldCatalogue,
  type Scalar,
  type Value,
} from '#events'
import type { FieldNode } from './ast.ts'
import type { OutputTemplate, OutputToken } from './output-template.ts'
import { bindOperand, refOf } from './read-operand.ts'
import { eachOperand } from './walk.ts'

/** A value of `output_fields`: integers keep their digits, the unavailable is null. */
export type JsonValue = string | number | bigint | boolean | null | readonly JsonValue[]

/** Renders an output text for an event. Missing values show as `<NA>`. */
export function formatOutput<E>(
  template: OutputTemplate,
  event: E,
  source: EventSource<E>,
): string {
  return bindOutput(template, source).text(event)
}

export interface BoundOutput<E> {
  text(event: E): string
  /** Every plain field of the output with its own type; a transformer shows as its fields. */
  fields(event: E): Record<string, JsonValue>
}

/** Binds an output to a source once, for many events. */
export function bindOutput<E>(template: OutputTemplate, source: EventSource<E>): BoundOutput<E> {
  const parts = template.parts.map((part) =>
    typeof part === 'string' ? part : bindToken(part, source),
  )
  const fields = new Map<string, (event: E) => JsonValue>()
  for (const part of template.parts) {
    if (typeof part === 'string') continue
    eachOperand(part.operand, (node) => {
      if (node.kind === 'field') fields.set(node.text, bindJson(node, source))
    })
  }
  return {
    text: (event) => parts.map((part) => (typeof part === 'string' ? part : part(event))).join(''),
    fields(event) {
      const values: Record<string, JsonValue> = {}
      for (const [name, read] of fields) values[name] = read(event)
      return values
    },
  }
}

function bindToken<E>(
  { operand, width }: OutputToken,
  source: EventSource<E>,
): (event: E) => string {
  const info = operand.kind === 'field' ? fieldCatalogue.get(refOf(operand).name) : undefined
  const read = bindShown(operand, info, source)
  const joiner = operand.kind === 'field' && isAncestry(operand) ? ' ' : ','
  return (event) => {
    const value = read(event)
    const text = value === undefined ? '<NA>' : showValue(value, info, joiner)
    return width === undefined ? text : text.slice(0, width).padEnd(width)
  }
}

/** What an output shows of an operand: fields that are for conditions only have no value there. */
function bindShown<E>(
  operand: OutputToken['operand'],
  info: FieldInfo | undefined,
  source: EventSource<E>,
): (event: E) => Value {
  if (info?.filterOnly === true) return () => undefined
  // Without a level the field means all ancestors; shown, it is the process itself.
  const shown: OutputToken['operand'] =
    operand.kind === 'field' && operand.text === 'proc.apid'
      ? { ...operand, text: 'proc.pid' }
      : operand
  return bindOperand(shown, (ref) => source.bind(ref) ?? (() => undefined))
}

function isAncestry({ text }: FieldNode): boolean {
  return text.startsWith('proc.a') && text !== 'proc.args' && !text.includes('[')
}

function showValue(value: Exclude<Value, undefined>, info: FieldInfo | undefined, joiner: string) {
  if (!Array.isArray(value)) return showScalar(value as Scalar, info)
  const items = value.map((item) => showScalar(item, info)).join(joiner)
  return joiner === ',' ? `(${items})` : items
}

function showScalar(value: Scalar, info: FieldInfo | undefined): string {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return printable(value)
  if (typeof value === 'boolean') return String(value)
  if (info?.type === 'DOUBLE') return Number(value).toFixed(1)
  if (info?.format === 'hex') return value.toString(16).toUpperCase()
  return info?.format === 'padded' ? String(value).padStart(9, '0') : String(value)
}

function printable(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'
  }
  return text
}

const timeFields = /^evt\.(?:time(?:\.s|\.iso8601)?|datetime(?:\.s)?|outputtime|rawtime|reltime)$/

function bindJson<E>(node: FieldNode, source: EventSource<E>): (event: E) => JsonValue {
  const ref = refOf(node)
  const info = fieldCatalogue.get(ref.name)
  if (timeFields.test(ref.name) && ref.name !== 'evt.reltime') {
    return (event) => source.time(event)
  }
  const read = bindShown(node, info, source)
  const ancestry = isAncestry(node)
  return (event) => {
    const value = read(event)
    if (value === undefined) return null
    if (!Array.isArray(value)) return jsonScalar(value as Scalar)
    return ancestry ? showValue(value, info, ' ').toWellFormed() : value.map(jsonScalar)
  }
}

function jsonScalar(value: Scalar): JsonValue {
  if (value instanceof Uint8Array) return decodeBytes(value).toWellFormed()
  return typeof value === 'string' ? value.toWellFormed() : value
}
