import {
  type FieldInfo,
  type FieldType,
  fieldCatalogue,
  parameterTypes,
  parseFieldName,
} from '#events'
import type { FieldNode, Operand, TransformArg, TransformNode } from './ast.ts'

/**
 * How a comparison goes over the values of an operand:
 * - `one`: a single value;
 * - `list`: a list field; `in` asks for every item, `intersects` for one;
 * - `ancestors`: any ancestor that satisfies the operator, `!=` too;
 * - `endpoints`: any endpoint or name, but `!=` only when all differ.
 */
export type Quantity = 'one' | 'list' | 'ancestors' | 'endpoints'

export interface OperandType {
  readonly type: FieldType
  readonly quantity: Quantity
}

const ancestorFields = new Set([
  'proc.aname',
  'proc.aexe',
  'proc.aexepath',
  'proc.acmdline',
  'proc.aenv',
  'proc.apid',
])

const endpointFields = new Set([
  'fd.ip',
  'fd.net',
  'fd.port',
  'fd.proto',
  'fd.cip.name',
  'fd.sip.name',
  'fd.lip.name',
  'fd.rip.name',
])

/** Text of a field without its argument, and what the catalogue says of it. */
export function fieldInfoOf(node: FieldNode): FieldInfo | undefined {
  const name = parseFieldName(node.text)
  return 'problem' in name ? undefined : fieldCatalogue.get(name.ref.name)
}

/** Type of a field or a transformed value; `undefined` where a check has reported a mistake. */
export function operandType(operand: Operand): OperandType | undefined {
  return operand.kind === 'field' ? fieldType(operand) : transformType(operand)
}

function fieldType(node: FieldNode): OperandType | undefined {
  const name = parseFieldName(node.text)
  if ('problem' in name) return undefined
  const { ref } = name
  const info = fieldCatalogue.get(ref.name)!
  const type = ref.name === 'evt.rawarg' ? (parameterTypes.get(ref.arg!) ?? 'DYN') : info.type
  return { type, quantity: quantityOf(ref.name, ref.arg, info) }
}

function quantityOf(name: string, arg: string | undefined, info: FieldInfo): Quantity {
  if (arg !== undefined) return 'one'
  if (ancestorFields.has(name)) return 'ancestors'
  if (endpointFields.has(name)) return 'endpoints'
  return info.list ? 'list' : 'one'
}

function transformType(node: TransformNode): OperandType | undefined {
  switch (node.name) {
    case 'len':
      return { type: 'UINT64', quantity: 'one' }
    case 'join':
    case 'concat':
      return { type: 'CHARBUF', quantity: 'one' }
    case 'getopt':
      return { type: 'CHARBUF', quantity: node.selector === undefined ? 'list' : 'one' }
    default: {
      const [arg] = node.args
      return arg === undefined ? undefined : argumentType(arg)
    }
  }
}

/** Type of an argument of a transformer. */
export function argumentType(arg: TransformArg): OperandType | undefined {
  switch (arg.kind) {
    case 'text':
      return { type: 'CHARBUF', quantity: 'one' }
    case 'number':
      return { type: 'UINT64', quantity: 'one' }
    case 'items':
      return { type: 'CHARBUF', quantity: 'list' }
    default:
      return operandType(arg)
  }
}
