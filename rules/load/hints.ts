import { type Check, type Expr, eachCheck } from '#engine'
import { fieldCatalogue, parseFieldName } from '#events'
import type { WarningCode } from './codes.ts'
import type { DiagnosticDetails } from './diagnostic.ts'

/** Something in a condition that compiles, but deserves a word. */
export interface Hint {
  readonly code: WarningCode
  readonly message: string
  /** Offsets into the text of the condition. */
  readonly at: number
  readonly end: number
  readonly details?: DiagnosticDetails
}

const deprecated = new Set([
  'evt.dir',
  'evt.latency',
  'evt.latency.s',
  'evt.latency.ns',
  'evt.latency.human',
  'evt.wait_latency',
])

/** What to say of a condition, as written and with its macros. */
export function hintsOf(written: Expr, resolved: Expr): Hint[] {
  const hints: Hint[] = []
  const own = new Map<Check, Check>()
  eachCheck(written, (check) => own.set(check, check))
  const seen = new Set<string>()
  eachCheck(resolved, (check) => {
    const { left } = check
    // Inside a macro there is no place in this condition to point at.
    const { at, end } = own.get(check) ?? written
    if (left.kind === 'field' && deprecated.has(left.text) && !seen.has(left.text)) {
      seen.add(left.text)
      const message = `${left.text} is deprecated: it always has the same value`
      const details = { deprecatedField: left.text }
      hints.push({ code: 'LOAD_DEPRECATED_ITEM', message, at, end, details })
    }
  })
  eachCheck(resolved, (check) => {
    const place = own.get(check) === undefined ? written : undefined
    for (const hint of constantHints(check)) {
      hints.push(place === undefined ? hint : { ...hint, at: place.at, end: place.end })
    }
  })
  return hints
}

/** The deprecated fields that an output mentions, wherever their names stand. */
export function deprecatedIn(output: string): string[] {
  return [...deprecated].filter((field) => output.includes(field))
}

const equality: readonly string[] = ['=', '==', '!=', 'in', 'intersects', 'pmatch']

/** Comparisons of Kubernetes audit fields with `<NA>`, which is no value that they have. */
export function unsafeChecks(written: Expr, resolved: Expr): Hint[] {
  const own = new Set<Check>()
  eachCheck(written, (check) => void own.add(check))
  const hints: Hint[] = []
  eachCheck(resolved, (check) => {
    const { left, op, right } = check
    const isAudit = left.kind === 'field' && /^(?:ka|jevt)\./.test(left.text)
    const texts = right?.kind === 'text' ? [right] : right?.kind === 'list' ? right.items : []
    if (!isAudit || !equality.includes(op) || !texts.some(({ text }) => text === '<NA>')) return
    const { at, end } = own.has(check) ? check : written
    const message = 'a comparison with <NA> says little: "exists" tells whether there is a value'
    hints.push({ code: 'LOAD_UNSAFE_NA_CHECK', message, at, end })
  })
  return hints
}

function constantHints(check: Check): Hint[] {
  const { right, op } = check
  const texts = right?.kind === 'text' ? [right] : right?.kind === 'list' ? right.items : []
  return texts.flatMap(({ text, at, end }): Hint[] => {
    const hint = (message: string): Hint[] => [{ code: 'LOAD_COMPILE_CONDITION', message, at, end }]
    const bare = text.replace(/\s/g, '')
    if (isField(bare)) {
      return hint(
        `"${text}" is a constant here, although a field is called so: val(${bare}) is its value`,
      )
    }
    if (/^(?:tolower|toupper|b64|basename|len|join|concat|getopt|val)\(.*\)$/.test(bare)) {
      return hint(`"${text}" is a constant here, although it looks like a transformer`)
    }
    const simpler = op === 'regex' ? simplerOperator(text) : undefined
    return simpler === undefined ? [] : hint(`this regular expression only needs ${simpler}`)
  })
}

function isField(text: string): boolean {
  // Reading a name that is none costs a search for the nearest one: most constants are none.
  const name = text.replace(/\[.*$/, '')
  const isDotted = /^(?:evt\.(?:arg|rawarg|type\.is|abspath)|thread\.cgroup)\./.test(name)
  if (!isDotted && !fieldCatalogue.has(name)) return false
  return 'ref' in parseFieldName(text)
}

function simplerOperator(pattern: string): string | undefined {
  const match = /^(\.\*)?([\w/ -]+)(\.\*)?$/.exec(pattern)
  if (match === null) return undefined
  const [, before, , after] = match
  if (before && after) return 'contains'
  if (before) return 'endswith'
  return after ? 'startswith' : '='
}
