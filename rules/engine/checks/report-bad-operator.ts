import type { Check, Operator } from '../ast.ts'
import { operandType } from '../operand-type.ts'
import { printOperand } from '../print.ts'
import { type Family, familyOf } from '../type-family.ts'
import type { Report } from './check-condition.ts'

const equality: readonly Operator[] = ['=', '==', '!=', 'in', 'intersects', 'exists']
const order: readonly Operator[] = ['<', '<=', '>', '>=']

const allowed: Readonly<Record<Family, readonly Operator[]>> = {
  number: [...equality, ...order],
  bool: equality,
  ip: equality,
  net: equality,
  text: [
    ...equality,
    ...order,
    'contains',
    'icontains',
    'startswith',
    'endswith',
    'glob',
    'iglob',
    'regex',
    'pmatch',
  ],
  bytes: [...equality, 'contains', 'startswith', 'endswith', 'bcontains', 'bstartswith'],
  other: ['exists'],
}

const listOnly: readonly Operator[] = ['in', 'intersects', 'exists']

const familyNames: Readonly<Record<Family, string>> = {
  number: 'a number',
  bool: 'true or false',
  ip: 'an IP address',
  net: 'a network',
  text: 'a text',
  bytes: 'bytes',
  other: 'of a type that cannot be compared',
}

/** Numbers do not, but Falco lets them pass on fd.port, which has a comparison of its own. */
function takesModifier(family: Family, name: string): boolean {
  return (family !== 'number' && family !== 'bool') || name === 'fd.port'
}

/** `evt.failed contains x`: the operator does not fit the type of the left side. */
export function reportBadOperator(check: Check, report: Report): void {
  const type = operandType(check.left)
  if (type === undefined) return
  const { op, modifier } = check
  const family = familyOf(type.type)
  const name = printOperand(check.left)
  const fail = (message: string) => {
    report({ code: 'bad-operator', message, at: check.at, end: check.end })
  }
  if (type.quantity === 'list' && !listOnly.includes(op)) {
    fail(`${name} is a list: only ${listOnly.join(', ')} work on it, not ${op}`)
  } else if (!allowed[family].includes(op)) {
    fail(`${name} is ${familyNames[family]}: ${op} does not work on it`)
  } else if (modifier !== undefined && !takesModifier(family, name)) {
    fail(`${name} is ${familyNames[family]}: ${op} ${modifier} does not work on it`)
  }
}
