import { parseFieldName } from '#events'
import type { Check } from '../ast.ts'
import { didYouMean } from '../problem.ts'
import { eachOperandOf } from '../walk.ts'
import type { Report } from './check-condition.ts'

/** `proc.nmae = bash`: the field does not exist, or its argument does not fit. */
export function reportUnknownField(check: Check, report: Report): void {
  eachOperandOf(check, (node) => {
    if (node.kind !== 'field') return
    const name = parseFieldName(node.text)
    if (!('problem' in name)) return
    const message = `${node.text}: ${name.problem}${didYouMean(name.nearest)}`
    report({ code: 'unknown-field', message, at: node.at, end: node.end })
  })
}
