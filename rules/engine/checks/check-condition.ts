import type { Check, Expr } from '../ast.ts'
import type { Problem } from '../problem.ts'
import { eachCheck } from '../walk.ts'
import { reportBadComparison } from './report-bad-comparison.ts'
import { reportBadConstant } from './report-bad-constant.ts'
import { reportBadOperator } from './report-bad-operator.ts'
import { reportBadRegex } from './report-bad-regex.ts'
import { reportBadTransformer } from './report-bad-transformer.ts'
import { reportUnknownField } from './report-unknown-field.ts'

export type Report = (problem: Problem) => void
export type Pass = (check: Check, report: Report) => void

/** Each pass stays silent about what an earlier one reports. */
const passes: readonly Pass[] = [
  reportUnknownField,
  reportBadTransformer,
  reportBadOperator,
  reportBadConstant,
  reportBadRegex,
  reportBadComparison,
]

/** All mistakes of a condition's own checks, in the order of the text. Macros are not followed. */
export function checkCondition(expr: Expr): Problem[] {
  const problems: Problem[] = []
  eachCheck(expr, (check) => {
    for (const pass of passes) pass(check, (problem) => problems.push(problem))
  })
  return problems.sort((a, b) => a.at - b.at)
}
