import type { Check, TransformArg, TransformNode } from '../ast.ts'
import { argumentType, fieldInfoOf, type OperandType } from '../operand-type.ts'
import { printOperand } from '../print.ts'
import { familyOf } from '../type-family.ts'
import { eachOperandOf } from '../walk.ts'
import type { Report } from './check-condition.ts'

/** `toupper(proc.pid) = x`: a transformer with arguments that it does not take. */
export function reportBadTransformer(check: Check, report: Report): void {
  eachOperandOf(check, (node) => {
    if (node.kind !== 'transform') return
    const problem = mistakeOf(node)
    if (problem !== undefined) {
      report({ code: 'bad-transformer', message: problem, at: node.at, end: node.end })
    }
  })
}

/** What is wrong with a transformer itself; its inner transformers are looked at on their own. */
export function mistakeOf(node: TransformNode): string | undefined {
  const { name, args } = node
  if (node.selector !== undefined && name !== 'getopt') return `${name}() takes no [argument]`
  if (name === 'val') return undefined
  const refused = args.find(
    (arg) => arg.kind === 'field' && fieldInfoOf(arg)?.transformer === false,
  )
  if (refused?.kind === 'field') return `${refused.text} takes no transformer`
  for (const arg of args) {
    const item = arg.kind === 'items' ? arg.items.find(isBadItem) : undefined
    if (item !== undefined) return `${printOperand(item)} cannot be in a list of texts`
  }
  const types = args.map(argumentType)
  // A mistake further in has been reported there.
  if (types.includes(undefined)) return undefined
  return argumentMistake(node, types as readonly OperandType[])
}

function argumentMistake(node: TransformNode, types: readonly OperandType[]): string | undefined {
  const { name, args } = node
  const [first, second] = types
  switch (name) {
    case 'tolower':
    case 'toupper':
    case 'basename':
      if (args.length !== 1) return `${name}() takes one argument`
      return isText(first!) ? undefined : `${name}() takes a text`
    case 'b64':
      if (args.length !== 1) return 'b64() takes one argument'
      return first!.type === 'CHARBUF' || familyOf(first!.type) === 'bytes'
        ? undefined
        : 'b64() takes a text or bytes'
    case 'len':
      if (args.length !== 1) return 'len() takes one argument'
      return isText(first!) || isList(first!) || familyOf(first!.type) === 'bytes'
        ? undefined
        : 'len() takes a text, bytes or a list'
    case 'join':
      if (args.length !== 2) return 'join() takes a separator and a list'
      if (!isScalarText(first!)) return 'the separator of join() is one text'
      return isList(second!) && isText(second!) ? undefined : 'join() takes a list of texts'
    case 'concat':
      if (args.length < 2) return 'concat() takes two arguments or more'
      return types.every((type) => type.type === 'CHARBUF' && type.quantity === 'one')
        ? undefined
        : 'concat() takes single texts that are no paths'
    case 'getopt':
      if (args.length !== 2) return 'getopt() takes a list of arguments and the known options'
      if (!isList(first!)) return 'getopt() takes a list of arguments'
      return isScalarText(second!) ? undefined : 'the options of getopt() are one text'
    default:
      return undefined
  }
}

/** Texts, and numbers of 64 bits, which become texts. */
function isBadItem(item: TransformArg): boolean {
  if (item.kind === 'items') return true
  const type = argumentType(item)
  if (type === undefined || isText(type)) return false
  return type.quantity !== 'one' || !['UINT64', 'INT64', 'PID'].includes(type.type)
}

function isList(type: OperandType): boolean {
  return type.quantity === 'list'
}

function isText(type: OperandType): boolean {
  return familyOf(type.type) === 'text'
}

function isScalarText(type: OperandType): boolean {
  return isText(type) && type.quantity === 'one'
}
