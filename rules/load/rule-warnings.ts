import { type Check, type Expr, eachOperandOf, eventTypesOf } from '#engine'
import { eventTypes, parseFieldName, unfilledFields } from '#events'
import type { Position } from './diagnostic.ts'
import type { LoadedRule, RuleSet } from './rule-set.ts'

/** What the sensor of this build gives to rules. */
export interface Delivery {
  /** Fields that have a place in events, but no one who fills it. */
  readonly emptyFields: ReadonlySet<string>
  /** Whether events of a type come at all. */
  delivers(typeName: string): boolean
  /** Arguments of a type that its events come without. */
  missingArguments(typeName: string): readonly string[]
}

/** Something that loads cleanly, and yet does less than its author means. */
export interface RuleWarning {
  readonly rule: string
  readonly kind: 'field' | 'event-type' | 'argument' | 'never' | 'shadowed' | 'constant'
  /** One sentence without the name of the rule. */
  readonly message: string
  /** Nothing can make the rule fire. */
  readonly isDead: boolean
  readonly at: Position
}

/** What Lanner cannot give to the enabled rules of a set, rule by rule. */
export function warningsOf({ rules }: RuleSet, delivery: Delivery): RuleWarning[] {
  return rules.filter(({ enabled }) => enabled).flatMap((rule) => warningsOfRule(rule, delivery))
}

function warningsOfRule(rule: LoadedRule, delivery: Delivery): RuleWarning[] {
  const { condition, name, at } = rule
  const types = eventTypes.filter((_, type) => eventTypesOf(condition)[type] === 1)
  const isGeneral = types.length > eventTypes.length / 2
  const here = types.filter((type) => delivery.delivers(type.name))
  const warnings: RuleWarning[] = []
  const warn = (kind: RuleWarning['kind'], message: string, isDead: boolean) => {
    warnings.push({ rule: name, kind, message, isDead, at })
  }
  const absent = isGeneral ? [] : types.filter((type) => !delivery.delivers(type.name))
  if (absent.length > 0) {
    const names = absent.map((type) => type.name).join(', ')
    warn('event-type', `events of type ${names} are not delivered`, here.length === 0)
  }
  const byField = checksByField(condition)
  const isEmpty = (field: string) =>
    unfilledFields.has(nameOf(field)) || delivery.emptyFields.has(nameOf(field))
  const empty = [...byField].filter(([field]) => isEmpty(field))
  if (empty.length > 0) {
    const lost = new Set(empty.flatMap(([, checks]) => checks))
    const names = [...new Set(empty.map(([field]) => nameOf(field)))].join(', ')
    const message = names.includes(',')
      ? `${names} have no value here: comparisons with them are false`
      : `${names} has no value here: comparisons with it are false`
    warn('field', message, !canHold(condition, (check) => lost.has(check)))
  }
  for (const [field, checks] of byField) {
    if (/^evt\.(?:raw)?arg[.[]/.test(field)) {
      const without = withoutArgument(field, here, delivery)
      if (without.length === 0) continue
      const isDead =
        without.length === here.length && !canHold(condition, (check) => checks.includes(check))
      const names = without.length > 8 ? 'most types' : without.join(', ')
      warn('argument', `${field} is not delivered with events of type ${names}`, isDead)
    }
  }
  return warnings
}

/** Types that have an argument, but come without it. */
function withoutArgument(
  field: string,
  types: readonly (typeof eventTypes)[number][],
  delivery: Delivery,
): string[] {
  const name = parseFieldName(field)
  const arg = 'ref' in name ? name.ref.arg : undefined
  return types.flatMap((type) => {
    const param = type.params.find((p, i) => p.name === arg || String(i) === arg)
    if (param === undefined) return []
    return delivery.missingArguments(type.name).includes(param.name) ? [type.name] : []
  })
}

function nameOf(field: string): string {
  const name = parseFieldName(field)
  return 'ref' in name ? name.ref.name : field
}

/** The checks of a condition by each field that they read, in the order of the text. */
function checksByField(condition: Expr): ReadonlyMap<string, Check[]> {
  const found = new Map<string, Check[]>()
  walk(condition)
  return found

  function walk(expr: Expr): void {
    if (expr.kind === 'not') walk(expr.item)
    else if (expr.kind === 'and' || expr.kind === 'or') expr.items.forEach(walk)
    else if (expr.kind === 'check') {
      eachOperandOf(expr, (node) => {
        if (node.kind === 'field') found.set(node.text, [...(found.get(node.text) ?? []), expr])
      })
    }
  }
}

/** Whether a condition can hold where some checks are always false. */
function canHold(condition: Expr, isFalse: (check: Check) => boolean): boolean {
  return verdict(condition) !== false

  function verdict(expr: Expr): boolean | undefined {
    if (expr.kind === 'macro') return undefined
    if (expr.kind === 'check') return isFalse(expr) ? false : undefined
    if (expr.kind === 'not') {
      const item = verdict(expr.item)
      return item === undefined ? undefined : !item
    }
    const decides = expr.kind === 'or'
    const values = expr.items.map(verdict)
    if (values.includes(decides)) return decides
    return values.includes(undefined) ? undefined : !decides
  }
}

/** The field that a constant seems to mean; `undefined` when it looks like none. */
export function fieldMeantBy(text: string): string | undefined {
  if (!/^(?:evt|proc|fd|user|group|thread|container|k8s|fs)\.[a-z][a-z0-9_.]*$/.test(text)) {
    return undefined
  }
  const name = parseFieldName(text)
  if ('ref' in name) return text
  return name.nearest
}
