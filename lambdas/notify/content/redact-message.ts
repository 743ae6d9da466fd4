import { isSecretName, marker, type TextRedactor } from '#redact'
import { visible } from './plain-text.ts'

/** Texts of which a redactor sees the beginning: no destination shows more of one. */
const mostSeen = 16 << 10
const mostKept = 8 << 10

/**
 * The same message without its secrets: every text goes through the redactor, variables of the
 * environment lose their values, and what is called like a secret is one. Texts are cut to 8 KiB, and
 * what is hidden in them is made visible.
 */
export function redactMessage<T>(message: T, redactor: TextRedactor): T {
  const replaced = new Map<string, string>()
  return redactValue(message, '', redactor, replaced) as T
}

function redactValue(
  value: unknown,
  key: string,
  redactor: TextRedactor,
  replaced: Map<string, string>,
): unknown {
  if (typeof value === 'string') return redactText(value, key, redactor, replaced)
  if (Array.isArray(value)) {
    return value.map((one) => redactValue(one, key, redactor, replaced))
  }
  if (typeof value !== 'object' || value === null) return value
  // fields first: an output repeats what they hold
  const entries = Object.entries(value).sort(([a], [b]) => order(a) - order(b))
  const done = entries.map(([name, one]) => [
    redactText(name, '', redactor, replaced),
    redactValue(one, name, redactor, replaced),
  ])
  const byName = Object.fromEntries(done) as Record<string, unknown>
  const names = Object.keys(value).map((name) => redactText(name, '', redactor, replaced))
  return Object.fromEntries(names.map((name) => [name, byName[name]]))
}

function order(name: string): number {
  return name === 'output_fields' ? 0 : 1
}

function redactText(
  text: string,
  key: string,
  redactor: TextRedactor,
  replaced: Map<string, string>,
): string {
  const seen = visible(beginning(text))
  if (/^(?:proc\.a?env|evt\.(?:raw)?arg\.env)(?:$|[.[])/.test(key)) {
    const hidden = seen.replace(/([A-Za-z_][\w.-]*=)\S*/g, `$1${marker}`)
    const result = clipEnd(hidden.includes('=') ? redactor.text(hidden) : marker)
    if (seen.length > 3) replaced.set(seen, result)
    return result
  }
  let shown = seen
  for (const [before, after] of replaced) shown = shown.replaceAll(before, after)
  // a field such as `evt.arg.password`, a label such as `api-token`
  if (key !== '' && isNamedSecret(key) && shown !== '') return marker
  return clipEnd(redactor.text(shown))
}

/** Names of fields that begin like one and are none: `evt.arg.token` is, `rules` and `keys` are not. */
function isNamedSecret(key: string): boolean {
  return isSecretName(key) && !/^(?:proc|fd|user|container|k8s|thread)\./.test(key)
}

/** What is cut off before it is looked at ends at a blank: no secret is cut in two, and half of it shown. */
function beginning(text: string): string {
  if (text.length <= mostSeen) return text
  const end = text.slice(0, mostSeen).search(/\s\S*$/)
  return `${text.slice(0, end < mostKept ? mostKept : end)}…`
}

function clipEnd(text: string): string {
  if (text.length <= mostKept) return text
  return `${text.slice(0, mostKept).replace(/[\ud800-\udbff]$/, '')}…`
}
