import { type Extractor, type FieldRef, parseFieldName, type Scalar, type Value } from '#events'
import type { Check, FieldNode, Operand, TransformArg } from './ast.ts'
import { transformOf } from './transform.ts'
import { eachOperandOf } from './walk.ts'

/** Gives the reader of a field. */
export type BindField<E> = (ref: FieldRef) => Extractor<E>

/** A function that reads the value of a field or transformer from an event. */
export function bindOperand<E>(operand: Operand, bindField: BindField<E>): Extractor<E> {
  if (operand.kind === 'field') return bindField(refOf(operand))
  const transform = transformOf(operand)
  const args = operand.args.map((arg) => bindArgument(arg, bindField))
  if (args.length === 1) {
    const [only] = args as [Extractor<E>]
    return (event) => transform([only(event)])
  }
  return (event) => transform(args.map((arg) => arg(event)))
}

/** Whether an event has a descriptor, from what is known of it. */
const descriptorFields = [
  'fd.num',
  'fd.type',
  'fd.typechar',
  'fd.name',
  'fd.sip',
  'fd.cip',
] as const

/** `fd.ip exists` and `fd.net exists` ask for a known descriptor of any kind, as in Falco. */
function asksForDescriptor({ op, left }: Check): boolean {
  return (
    op === 'exists' && left.kind === 'field' && (left.text === 'fd.ip' || left.text === 'fd.net')
  )
}

/** A function that reads what a check compares: the value of its left side, as a rule. */
export function bindLeft<E>(check: Check, bindField: BindField<E>): Extractor<E> {
  const read = bindOperand(check.left, bindField)
  if (!asksForDescriptor(check)) return read
  const [number, ...others] = descriptorFields.map((text) => bindField({ name: text, text }))
  return (event) => {
    const fd = number!(event)
    if (fd !== undefined) return (fd as number | bigint) >= 0 ? true : undefined
    return read(event) !== undefined || others.some((other) => other(event) !== undefined)
      ? true
      : undefined
  }
}

/** Every field that decides a check, also those that it does not name. */
export function fieldsDeciding(check: Check): FieldRef[] {
  const refs: FieldRef[] = []
  eachOperandOf(check, (node) => {
    if (node.kind === 'field') refs.push(refOf(node))
  })
  if (asksForDescriptor(check)) {
    for (const text of descriptorFields) refs.push({ name: text, text })
  }
  return refs
}

/** The reference behind a field that the checks have accepted. */
export function refOf(node: FieldNode): FieldRef {
  const name = parseFieldName(node.text)
  if ('problem' in name) throw new Error(`unchecked field ${node.text}: ${name.problem}`)
  return name.ref
}

function bindArgument<E>(arg: TransformArg, bindField: BindField<E>): Extractor<E> {
  switch (arg.kind) {
    case 'text':
      return () => arg.text
    case 'number': {
      const number = Number(arg.text)
      return () => number
    }
    case 'items': {
      const items = arg.items.map((item) => bindArgument(item, bindField))
      return (event) => allItems(items.map((item) => item(event)))
    }
    default:
      return bindOperand(arg, bindField)
  }
}

/** One list of the values, and of the items of values that are lists; unavailable if any is. */
function allItems(values: readonly Value[]): Value {
  const items: Scalar[] = []
  for (const value of values) {
    if (value === undefined) return undefined
    if (Array.isArray(value)) items.push(...value)
    else items.push(value as Scalar)
  }
  return items
}
