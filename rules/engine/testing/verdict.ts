import { fieldMapSource, parseFieldMap } from '#events'
import { checkCondition } from '../checks/check-condition.ts'
import { compileRules } from '../compile-rules.ts'
import { interpret } from '../interpret.ts'
import { parseCondition } from '../parse.ts'
import { strictCondition } from '../strict-compat.ts'
import { checkedCondition, ruleOf } from './rule-arbitrary.ts'

/** Whether a condition holds for a field map; the compiled and the plain meaning must agree. */
export function holds(
  condition: string,
  fields: Readonly<Record<string, unknown>>,
  strict = false,
): boolean {
  const checked = checkedCondition(condition)
  const expr = strict ? strictCondition(checked) : checked
  const event = parseFieldMap(fields)
  if ('errors' in event) throw new Error(event.errors.map(({ message }) => message).join('; '))
  const plain = interpret(expr, event.map, fieldMapSource)
  const program = compileRules([ruleOf('r', expr)], fieldMapSource, { matching: 'all' })
  const compiled = program.evaluate(event.map).length === 1
  if (compiled !== plain) throw new Error(`${condition}: compiled ${compiled}, plain ${plain}`)
  return plain
}

/** All mistakes of a condition, as texts; empty when it is right. */
export function mistakes(condition: string): string[] {
  const parsed = parseCondition(condition)
  if ('problem' in parsed) return [`${parsed.problem.code}: ${parsed.problem.message}`]
  return checkCondition(parsed.expr).map(({ code, message }) => `${code}: ${message}`)
}
