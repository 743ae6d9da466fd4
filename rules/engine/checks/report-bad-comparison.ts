import type { Check, Operand, TransformNode } from '../ast.ts'
import { argumentType, fieldInfoOf, type OperandType, operandType } from '../operand-type.ts'
import { printOperand } from '../print.ts'
import { eachOperand } from '../walk.ts'
import type { Report } from './check-condition.ts'

/** `proc.name = val(proc.pid)`: two values that cannot be compared with each other. */
export function reportBadComparison(check: Check, report: Report): void {
  reportTransformedType(check, report)
  const { left, right } = check
  if (right?.kind !== 'transform') return
  const { at, end } = right
  for (const message of mistakesOf(check, left, right)) {
    report({ code: 'bad-comparison', message, at, end })
  }
}

function mistakesOf({ op }: Check, left: Operand, right: TransformNode): string[] {
  if (op === 'pmatch' || op === 'regex') return [`${op} takes constants only`]
  const constantsOnly =
    left.kind === 'field' && (left.text === 'evt.type' || fieldInfoOf(left)?.rhs === false)
  if (constantsOnly) return [`${left.text} is compared with constants only`]
  const refused = refusedFields(right)
  if (refused.length > 0) return refused.map((text) => `${text} may not stand on the right side`)
  const leftType = operandType(left)
  const rightType = right.name === 'val' ? argumentType(right.args[0]!) : operandType(right)
  if (leftType === undefined || rightType === undefined) return []
  if (leftType.type === 'IPNET') return ['a network is compared with constants only']
  if (describe(leftType) === describe(rightType)) return []
  return [
    `${printOperand(left)} (${describe(leftType)}) and ${printOperand(right)} ` +
      `(${describe(rightType)}) are of different types`,
  ]
}

function describe({ type, quantity }: OperandType): string {
  return quantity === 'list' ? `list of ${type}` : type
}

function refusedFields(right: Operand): string[] {
  const refused: string[] = []
  eachOperand(right, (node) => {
    if (node.kind === 'field' && fieldInfoOf(node)?.rhs === false) refused.push(node.text)
  })
  return refused
}

/** The event types of a rule are found from its `evt.type`, which nothing may transform. */
function reportTransformedType(check: Check, report: Report): void {
  const { left } = check
  if (left.kind !== 'transform') return
  eachOperand(left, (node) => {
    if (node.kind !== 'field' || node.text !== 'evt.type') return
    const message = 'evt.type takes no transformer in a condition'
    report({ code: 'bad-comparison', message, at: node.at, end: node.end })
  })
}
