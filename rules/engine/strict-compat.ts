import type { Check, Expr } from './ast.ts'
import { operandType } from './operand-type.ts'
import type { Problem } from './problem.ts'
import { familyOf } from './type-family.ts'
import { constantsOf, eachCheck } from './walk.ts'

/** Fields that Falco compares by code of their own, which knows no modifiers. */
const ownComparison = new Set(['fd.ip', 'fd.net', 'fd.port'])

/**
 * The condition that means by the documented language what this one means to Falco, where Falco is
 * known to be wrong: membership tests that never hold, networks of which only the first counts,
 * modifiers that are not looked at. The condition has been checked; it has no macros.
 */
export function strictCondition(expr: Expr): Expr {
  switch (expr.kind) {
    case 'macro':
      return expr
    case 'check':
      return strictCheck(expr)
    case 'not': {
      const item = strictCondition(expr.item)
      return item === expr.item ? expr : { ...expr, item }
    }
    default: {
      const items = expr.items.map(strictCondition)
      return items.every((item, i) => item === expr.items[i]) ? expr : { ...expr, items }
    }
  }
}

function strictCheck(check: Check): Check {
  const { left, op, modifier } = check
  if (op === 'pmatch') return { ...check, siblingDefect: true }
  if (left.kind !== 'field') return check
  const type = operandType(left)!
  const hasOwn = ownComparison.has(left.text) || type.quantity === 'ancestors'
  if (modifier !== undefined && hasOwn) return withFirstOnly(check)
  if (op !== 'in' && op !== 'intersects') return check
  const isNumber = familyOf(type.type) === 'number'
  const neverIn =
    left.text === 'fd.ip' ||
    left.text === 'proc.apid' ||
    (left.text.startsWith('evt.rawarg.') && isNumber)
  if (neverIn) return { ...check, right: { kind: 'list', items: [], at: check.at, end: check.end } }
  if (left.text === 'fd.net') {
    const items = constantsOf(check).slice(0, 1)
    return {
      ...check,
      right: {
        kind: 'list',
        items: items.map((item) => ({ kind: 'text', ...item })),
        at: check.at,
        end: check.end,
      },
    }
  }
  return check
}

/** `OP oneof (a, b)` as Falco reads it on these fields: `OP a`. */
function withFirstOnly({ modifier: _, ...check }: Check): Check {
  const [first] = constantsOf(check as Check)
  const { at, end } = check
  if (first === undefined)
    return { ...check, op: 'in', right: { kind: 'list', items: [], at, end } }
  return { ...check, right: { kind: 'text', ...first } }
}

/** Comparisons that end the Falco process when they are evaluated. */
export function fatalInFalco(expr: Expr): Problem[] {
  const problems: Problem[] = []
  eachCheck(expr, ({ left, op, at, end }) => {
    if (left.kind !== 'field' || op !== 'intersects') return
    if (left.text !== 'fd.ip' && left.text !== 'fd.port' && left.text !== 'fd.net') return
    const message = `${left.text} intersects stops Falco when an event is evaluated: use in`
    problems.push({ code: 'bad-operator', message, at, end })
  })
  return problems
}
