import type { RuleMatching } from '#engine'
import { lintsOf, type RuleSet, type RuleWarning, warningsOf } from '#load'
import { printable } from './printable.ts'
import { sensorDelivery } from './sensor-delivery.ts'

/** What authors should know of the enabled rules, although they load: rule by rule. */
export function ruleWarnings(ruleSet: RuleSet, matching: RuleMatching): RuleWarning[] {
  const warnings = [...warningsOf(ruleSet, sensorDelivery), ...lintsOf(ruleSet, matching)]
  const order = new Map(ruleSet.rules.map(({ name }, i) => [name, i]))
  return warnings.sort((a, b) => order.get(a.rule)! - order.get(b.rule)!)
}

/** One line of text for each warning and each rule that cannot run here, without newlines. */
export function ruleWarningLines(ruleSet: RuleSet, matching: RuleMatching): string[] {
  const inactive = ruleSet.inactive.map(
    ({ name, reason, at }) =>
      `${at.file}:${at.line}: inactive: ${printable(name)}: ${printable(reason)}`,
  )
  const warnings = ruleWarnings(ruleSet, matching).map(({ rule, message, isDead, at }) => {
    const word = isDead ? 'never fires' : 'limited'
    return `${at.file}:${at.line}: ${word}: ${printable(rule)}: ${printable(message)}`
  })
  return [...inactive, ...warnings]
}
