import type { Check } from '../ast.ts'
import { compileRegex } from '../regex.ts'
import { constantsOf } from '../walk.ts'
import type { Report } from './check-condition.ts'

/** `proc.name regex "a("`: a regular expression that does not compile. */
export function reportBadRegex(check: Check, report: Report): void {
  if (check.op !== 'regex') return
  for (const { text, at, end } of constantsOf(check)) {
    const regex = compileRegex(text)
    if (!('problem' in regex)) continue
    const message = `the regular expression does not compile: ${regex.problem}`
    report({ code: 'bad-regex', message, at, end })
  }
}
