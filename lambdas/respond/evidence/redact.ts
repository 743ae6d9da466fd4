/** What stands where something secret stood. */
export const redacted = '<redacted>'

/** Keys under which objects of a cluster keep what is nobody's business. */
const secretKeys = new Set(['env', 'envFrom', 'managedFields'])
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * An object of a cluster without values of environment variables, and without what repeats them. Names
 * stay, so that it can be seen what there was.
 */
export function redactObject(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactObject)
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'string' ? redactText(value) : value
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
      if (key === 'managedFields') return []
      if (key === lastApplied) return [[key, redacted]]
      if (secretKeys.has(key) && Array.isArray(member)) return [[key, member.map(redactVariable)]]
      return [[key, redactObject(member)]]
    }),
  )
}

function redactVariable(variable: unknown): unknown {
  if (typeof variable !== 'object' || variable === null) return redacted
  const { value, ...rest } = variable as { value?: unknown }
  return { ...rest, ...(value !== undefined && { value: redacted }) }
}

/** Shapes of secrets in running text. Each is found in time linear in the text. */
const shapes: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,8192}(?:-----END [A-Z ]{0,30}-----)?/g, redacted],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, redacted],
  [/\beyJ[\w-]{8,2000}\.[\w-]{8,4000}\.[\w-]{8,2000}/g, redacted],
  [/\b(?:ghp|gho|ghs|xoxb|xoxp|glpat|sk)[_-][\w-]{16,200}/g, redacted],
  [/(\bbearer\s{1,4})[\w.~+/=-]{8,4000}/gi, `$1${redacted}`],
  [/(:\/\/[^\s/:@]{1,100}:)[^\s/@]{1,200}@/g, `$1${redacted}@`],
  [
    /((?:passw(?:or)?d|secret|token|api[_-]?key|credential)[\w-]{0,40}["']?\s{0,4}[=:]\s{0,4}["']?)[^\s"',;&]{1,2000}/gi,
    `$1${redacted}`,
  ],
]

/** Text without what looks like a secret. */
export function redactText(text: string): string {
  let result = text
  for (const [shape, instead] of shapes) result = result.replace(shape, instead)
  return result
}
