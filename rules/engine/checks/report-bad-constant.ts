import type { Check } from '../ast.ts'
import { parseConstant, parseHex, tooLong } from '../constant.ts'
import { operandType } from '../operand-type.ts'
import { constantsOf } from '../walk.ts'
import type { Report } from './check-condition.ts'

/** `fd.sip = 1.2.3`: a constant that the type of the left side cannot have. */
export function reportBadConstant(check: Check, report: Report): void {
  const type = operandType(check.left)
  if (type === undefined) return
  const hex = check.op === 'bcontains' || check.op === 'bstartswith'
  const field = check.left.kind === 'field' ? check.left.text : undefined
  for (const { text, at, end } of constantsOf(check)) {
    if (hex) {
      const bytes = parseHex(text)
      if (bytes !== undefined && bytes.length > 255) {
        report({ code: 'bad-constant', message: tooLong, at, end })
      } else if (bytes === undefined) {
        const message = `"${text}" is no even number of hexadecimal digits`
        report({ code: 'bad-constant', message, at, end })
      }
      continue
    }
    const constant = parseConstant(text, type.type, field)
    if ('problem' in constant) {
      report({ code: constant.code ?? 'bad-constant', message: constant.problem, at, end })
    }
  }
}
