import { eventTypeId, eventTypes } from '#events'
import type { Check, Expr } from './ast.ts'
import { constantsOf } from './walk.ts'

/** One byte for each event type: 1 when a condition can hold for events of the type. */
export type TypeSet = Uint8Array

const all: TypeSet = new Uint8Array(eventTypes.length).fill(1)
const none: TypeSet = new Uint8Array(eventTypes.length)

/**
 * The event types for which a condition (without macros) can hold, from its comparisons of evt.type,
 * syscall.type and evt.num alone. Sound: events of other types never match.
 */
export function eventTypesOf(expr: Expr): TypeSet {
  return typesWhere(expr, true)
}

function typesWhere(expr: Expr, holds: boolean): TypeSet {
  switch (expr.kind) {
    case 'macro':
      return all
    case 'not':
      return typesWhere(expr.item, !holds)
    case 'check':
      return leaf(expr, holds)
    default: {
      const meet = (expr.kind === 'and') === holds
      let types = meet ? all : none
      for (const item of expr.items) {
        const wanted = typesWhere(item, holds)
        types = meet ? intersection(types, wanted) : union(types, wanted)
      }
      return types
    }
  }
}

function intersection(a: TypeSet, b: TypeSet): TypeSet {
  if (a === all || b === none) return b
  if (b === all || a === none) return a
  return a.map((wanted, i) => wanted & b[i]!)
}

function union(a: TypeSet, b: TypeSet): TypeSet {
  if (a === none || b === all) return b
  if (b === none || a === all) return a
  return a.map((wanted, i) => wanted | b[i]!)
}

function leaf(check: Check, holds: boolean): TypeSet {
  const { left } = check
  if (left.kind !== 'field' || check.modifier !== undefined) return all
  if (left.text === 'evt.num') return countLeaf(check, holds)
  if (left.text !== 'evt.type' && left.text !== 'syscall.type') return all
  if (check.right?.kind === 'transform' || check.right?.kind === 'field') return all
  switch (check.op) {
    case '=':
    case '==':
    case 'in':
      return named(check, holds)
    case '!=':
      return named(check, !holds)
    case 'exists':
      return holds ? all : none
    default:
      return all
  }
}

function named(check: Check, among: boolean): TypeSet {
  const set = new Uint8Array(eventTypes.length).fill(among ? 0 : 1)
  for (const { text } of constantsOf(check)) {
    const type = eventTypeId(text)
    if (type >= 0) set[type] = among ? 1 : 0
  }
  // An event that is no system call has no syscall.type: its negation holds there.
  return set
}

/** Events are counted from 1, so that `evt.num = 0` never holds: rule files use it as "never". */
function countLeaf(check: Check, holds: boolean): TypeSet {
  const decided = countHolds(check)
  return decided === undefined || decided === holds ? all : none
}

function countHolds({ op, right, ...check }: Check): boolean | undefined {
  const numbers = constantsOf({ op, ...check, ...(right && { right }) }).map(({ text }) =>
    Number(text),
  )
  const [number] = numbers
  switch (op) {
    case 'exists':
      return true
    case 'in':
    case 'intersects':
      return right?.kind !== 'transform' && numbers.every((n) => n < 1) ? false : undefined
    case '=':
    case '==':
      return number !== undefined && number < 1 ? false : undefined
    case '!=':
      return number !== undefined && number < 1 ? true : undefined
    case '>':
    case '>=':
      return number !== undefined && number < (op === '>' ? 1 : 2) ? true : undefined
    case '<':
    case '<=':
      return number !== undefined && number < (op === '<' ? 2 : 1) ? false : undefined
    default:
      return undefined
  }
}
