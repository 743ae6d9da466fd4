import {
  type Check,
  type Expr,
  eachCheck,
  eventTypesOf,
  printCondition,
  type RuleMatching,
} from '#engine'
import { fieldCatalogue, parseFieldName } from '#events'
import type { LoadedRule, RuleSet } from './rule-set.ts'
import { fieldMeantBy, type RuleWarning } from './rule-warnings.ts'

/** What an author should look at, although it is right: rule by rule, the enabled ones only. */
export function lintsOf({ rules }: RuleSet, matching: RuleMatching): RuleWarning[] {
  const enabled = rules.filter((rule) => rule.enabled)
  return enabled.flatMap((rule, i) => {
    const { name, at, condition } = rule
    const lint = (kind: RuleWarning['kind'], message: string, isDead: boolean): RuleWarning => ({
      rule: name,
      kind,
      message,
      isDead,
      at,
    })
    const never = whyNever(condition)
    if (never !== undefined) return [lint('never', `the rule can never fire: ${never}`, true)]
    const earlier =
      matching === 'first' ? enabled.slice(0, i).find((other) => shadows(other, rule)) : undefined
    return [
      ...(earlier === undefined
        ? []
        : [
            lint(
              'shadowed',
              `the rule never fires where the first match counts: "${earlier.name}" comes earlier and matches all that it matches`,
              true,
            ),
          ]),
      ...suspiciousConstants(condition).map((message) => lint('constant', message, false)),
    ]
  })
}

function suspiciousConstants(condition: Expr): string[] {
  const found = new Set<string>()
  eachCheck(condition, ({ right }) => {
    const texts = right?.kind === 'text' ? [right] : right?.kind === 'list' ? right.items : []
    for (const { text } of texts) {
      const field = fieldMeantBy(text)
      // Names of fields as they are have a warning of Falco's own.
      if (field === undefined || field === text) continue
      found.add(`"${text}" is a constant; if the field ${field} is meant, write val(${field})`)
    }
  })
  return [...found]
}

/** Why a condition holds for no event at all; `undefined` when it may hold. */
function whyNever(condition: Expr): string | undefined {
  if (!eventTypesOf(condition).includes(1)) return 'no type of event satisfies the condition'
  return contradiction(condition, true)
}

/** A part that makes the expression false (or true, when negated) whatever the event is. */
function contradiction(expr: Expr, positive: boolean): string | undefined {
  switch (expr.kind) {
    case 'macro':
      return undefined
    case 'not':
      return contradiction(expr.item, !positive)
    case 'check':
      return positive && isNever(expr) ? `${printCondition(expr)} never holds` : undefined
    default: {
      const isConjunction = (expr.kind === 'and') === positive
      const reasons = expr.items.map((item) => contradiction(item, positive))
      if (!isConjunction) {
        return reasons.every((reason) => reason !== undefined) ? reasons[0] : undefined
      }
      return (
        reasons.find((reason) => reason !== undefined) ??
        (positive ? exclusive(conjunctsOf(expr)) : undefined)
      )
    }
  }
}

function isNever({ op, modifier, right, left }: Check): boolean {
  if (right?.kind === 'list' && right.items.length === 0) {
    // "Every item is in the empty set" holds for an empty list.
    return op !== 'in' || isSingle(left.kind === 'field' ? left.text : '')
  }
  return (
    left.kind === 'field' &&
    left.text === 'evt.dir' &&
    modifier === undefined &&
    (op === '=' || op === '==') &&
    right?.kind === 'text' &&
    right.text !== '<'
  )
}

function isSingle(field: string): boolean {
  const name = parseFieldName(field)
  if ('problem' in name) return false
  const info = fieldCatalogue.get(name.ref.name)
  const isAncestry = /^proc\.a(?!rgs$)/.test(name.ref.name) && name.ref.arg === undefined
  const isEndpoint = /^fd\.(?:ip|net|port|proto|.ip\.name)$/.test(name.ref.name)
  return info !== undefined && !info.list && !isAncestry && !isEndpoint
}

/** The parts that must all hold. */
function conjunctsOf(expr: Expr): readonly Expr[] {
  return expr.kind === 'and' ? expr.items.flatMap(conjunctsOf) : [expr]
}

/** Comparisons of one field with different constants, all of which would have to hold. */
function exclusive(parts: readonly Expr[]): string | undefined {
  const possible = new Map<string, { readonly texts: ReadonlySet<string>; readonly by: Check }>()
  for (const part of parts) {
    if (part.kind !== 'check' || part.left.kind !== 'field' || part.modifier !== undefined) continue
    const { left, op, right } = part
    const texts =
      (op === '=' || op === '==') && right?.kind === 'text'
        ? [right.text]
        : op === 'in' && right?.kind === 'list'
          ? right.items.map(({ text }) => text)
          : undefined
    if (texts === undefined || !isSingle(left.text) || !isText(left.text)) continue
    const before = possible.get(left.text)
    const both = before === undefined ? texts : texts.filter((text) => before.texts.has(text))
    if (before !== undefined && both.length === 0) {
      return `${printCondition(before.by)} and ${printCondition(part)} exclude each other`
    }
    possible.set(left.text, { texts: new Set(both), by: part })
  }
  return undefined
}

/** Texts are equal only when their constants are written alike. */
function isText(field: string): boolean {
  const name = parseFieldName(field)
  return 'ref' in name && fieldCatalogue.get(name.ref.name)?.type === 'CHARBUF'
}

/** Whether a rule matches all events that another, later one matches. Sound, not complete. */
function shadows(earlier: LoadedRule, later: LoadedRule): boolean {
  if (earlier.source !== later.source) return false
  const given = new Set(conjunctsOf(later.condition).map(printCondition))
  const types = eventTypesOf(later.condition)
  return conjunctsOf(earlier.condition).every((part) => follows(part, given, types))
}

function follows(part: Expr, given: ReadonlySet<string>, types: Uint8Array): boolean {
  if (given.has(printCondition(part))) return true
  if (part.kind === 'or') return part.items.some((item) => follows(item, given, types))
  if (part.kind === 'and') return part.items.every((item) => follows(item, given, types))
  if (part.kind !== 'check' || part.left.kind !== 'field') return false
  if (part.left.text !== 'evt.type' || part.modifier !== undefined) return false
  if (!['=', '==', 'in'].includes(part.op)) return false
  const wanted = eventTypesOf(part)
  return types.every((possible, type) => possible === 0 || wanted[type] === 1)
}
