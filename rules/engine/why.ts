import type { EventSource, Value } from '#events'
import type { Expr } from './ast.ts'
import { interpret } from './interpret.ts'
import { printCondition } from './print.ts'
import { bindOperand, fieldsDeciding } from './read-operand.ts'

/** A condition with what each part of it says of one event. */
export interface Reasoning {
  readonly kind: 'and' | 'or' | 'not' | 'check'
  /** The check as text; the word of a group. */
  readonly text: string
  readonly holds: boolean
  /** Whether the verdict on the whole rests on this part. */
  readonly decides: boolean
  /** What the fields and transformers of a check had as values; `undefined` for those without. */
  readonly values: readonly { readonly name: string; readonly value: Value }[]
  readonly parts: readonly Reasoning[]
  /** The part of the condition, to find names for it. */
  readonly expr: Expr
}

/** Why a condition (without macros) holds for an event, or does not. */
export function reasonOf<E>(
  expr: Expr,
  event: E,
  source: EventSource<E>,
  decides = true,
): Reasoning {
  const holds = interpret(expr, event, source)
  const base = { holds, decides, expr }
  switch (expr.kind) {
    case 'macro':
      throw new Error(`unresolved macro ${expr.name}`)
    case 'not':
      return {
        ...base,
        kind: 'not',
        text: 'not',
        values: [],
        parts: [reasonOf(expr.item, event, source, decides)],
      }
    case 'check':
      return {
        ...base,
        kind: 'check',
        text: printCondition(expr),
        values: valuesOf(expr, event, source),
        parts: [],
      }
    default: {
      // One part can make an `and` false or an `or` true: the first one that does.
      const verdicts = expr.items.map((item) => interpret(item, event, source))
      const one = (expr.kind === 'and') !== holds ? verdicts.indexOf(holds) : -1
      return {
        ...base,
        kind: expr.kind,
        text: expr.kind,
        values: [],
        parts: expr.items.map((item, i) =>
          reasonOf(item, event, source, decides && (one < 0 || one === i)),
        ),
      }
    }
  }
}

function valuesOf<E>(
  check: Extract<Expr, { kind: 'check' }>,
  event: E,
  source: EventSource<E>,
): Reasoning['values'] {
  const names = new Map(fieldsDeciding(check).map((ref) => [ref.text, ref]))
  const values = [...names].map(([name, ref]) => ({ name, value: source.bind(ref)?.(event) }))
  const transformed = [check.left, check.right].flatMap((side) => {
    if (side?.kind !== 'transform' || side.name === 'val') return []
    const read = bindOperand(side, (ref) => source.bind(ref) ?? (() => undefined))
    return [{ name: `${side.name}(…)`, value: read(event) }]
  })
  return [...values, ...transformed]
}

/** The parts on which the verdict rests in the end: checks, the first one first. */
export function decidingChecks(reasoning: Reasoning): readonly Reasoning[] {
  if (!reasoning.decides) return []
  return reasoning.kind === 'check' ? [reasoning] : reasoning.parts.flatMap(decidingChecks)
}
