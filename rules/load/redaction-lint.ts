import { type Check, eachCheck, eachOperandOf, eventTypesOf } from '#engine'
import { type EventParam, eventTypes, type FieldRef, parseFieldName } from '#events'
import type { Position } from './diagnostic.ts'
import type { RuleSet } from './rule-set.ts'

/** A rule that may say something else of an event whose secrets are replaced. */
export interface RedactionEffect {
  readonly rule: string
  /** The fields it compares that redaction may change, as written, in the order of the text. */
  readonly fields: readonly string[]
  readonly at: Position
}

/**
 * The enabled rules whose verdict redaction could change: those that compare arguments, variables or
 * other texts of the caller's own. Paths are not among these texts, although a token in one is
 * replaced: no rule is about the name that a token gives to a file.
 */
export function redactionEffects({ rules }: RuleSet): RedactionEffect[] {
  return rules.flatMap(({ name, condition, enabled, at }) => {
    if (!enabled) return []
    const possible = eventTypesOf(condition)
    const params = eventTypes.map((type, i) => (possible[i] === 1 ? type.params : []))
    const fields = new Set<string>()
    eachCheck(condition, (check) => {
      if (isUntouched(check)) return
      eachOperandOf(check, (node) => {
        if (node.kind === 'field' && mayChange(node.text, params)) fields.add(node.text)
      })
    })
    return fields.size === 0 ? [] : [{ rule: name, fields: [...fields], at }]
  })
}

/** A text is there before and after, and none becomes empty. */
function isUntouched({ op, right }: Check): boolean {
  if (op === 'exists') return true
  return (op === '=' || op === '==' || op === '!=') && right?.kind === 'text' && right.text === ''
}

/** Fields that show arguments or variables of a process. */
const commandFields = new Set([
  ...['proc.args', 'proc.aargs', 'proc.cmdline', 'proc.pcmdline', 'proc.acmdline', 'proc.exeline'],
  ...['proc.env', 'proc.aenv', 'proc.cmdlenargs', 'proc.exe', 'proc.pexe', 'proc.aexe'],
  ...['proc.sid.exe', 'proc.vpgid.exe', 'proc.pgid.exe'],
])

function mayChange(field: string, params: readonly (readonly EventParam[])[]): boolean {
  const name = parseFieldName(field)
  if ('problem' in name) return false
  const { ref } = name
  return commandFields.has(ref.name) || params.some((some) => some.some(shownBy(ref)))
}

/** Whether an argument of an event is a text that a field shows. */
function shownBy({ name, arg }: FieldRef): (param: EventParam, index: number) => boolean {
  return (param, index) => {
    if (!/^(?:CHARBUF|BYTEBUF|DYN)$/.test(param.type)) return false
    if (name === 'evt.args' || name === 'evt.info') return true
    if (name === 'evt.buffer') return param.name === 'data'
    if (name !== 'evt.arg' && name !== 'evt.rawarg') return false
    return arg === param.name || arg === String(index)
  }
}
