import type { TextSpan } from '#engine'
import { isSecretName } from './names.ts'

/** Finds the parts of a text that are secret. */
export type Finder = (text: string) => TextSpan[]

/** Secrets that are known by their own form. */
const shape = (pattern: RegExp): Finder => {
  return (text) => [...text.matchAll(pattern)].map((m) => [m.index, m.index + m[0].length])
}

/** The group `value` of what matches, where the group `name`, if there is one, means a secret. */
const valueIn = (pattern: RegExp): Finder => {
  return (text) =>
    [...text.matchAll(pattern)].flatMap((match) => {
      const { name, value } = match.groups!
      if (name !== undefined && (!isSecretName(name) || isExpression.test(value!))) return []
      return [match.indices!.groups!['value'] as [number, number]]
    })
}

/** What a shell puts something else for. */
const isExpression = /^["']?(?:\$[({A-Za-z_]|`)/

/**
 * Forms that cannot be mistaken, so that they are looked for in paths too. A normalised path has one
 * slash where a URL has two.
 */
const unmistakable: readonly Finder[] = [
  shape(/(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}/g),
  shape(/eyJ[\w-]{6,}\.eyJ[\w-]+(?:\.[\w-]*)*/g),
  shape(
    /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)/g,
  ),
  shape(/gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}/g),
  shape(/(?:xox[a-z]|xapp)-[\w-]{10,}/g),
  shape(/AIza[\w-]{35}|ya29\.[\w-]{16,}|GOCSPX-[\w-]{20,}/g),
  valueIn(/hooks\.slack\.com\/services\/(?<value>[\w/]+)/dg),
  valueIn(/:\/+[^\s/:@?#'"]*:(?<value>[^\s/?#'"]+)@/dg),
]

const quoted = String.raw`\\?"[^"]*"?|'[^']*'?`
const inText: readonly Finder[] = [
  // NAME=value, --name=value, ?name=value
  valueIn(
    new RegExp(
      String.raw`(?<![\w.-])(?<name>[\w.-]+)=(?<value>${quoted}|[^\s"'&;|<>][^\s&;|<>]*)`,
      'dg',
    ),
  ),
  // "name": "value", Name: value
  valueIn(
    new RegExp(
      String.raw`(?<![\w.-])(?<name>[\w.-]+)(?:\\?["']\s*:\s*|:\s+)(?<value>${quoted}|[^\s"',;}]+)`,
      'dg',
    ),
  ),
  // --name value
  valueIn(
    new RegExp(
      String.raw`(?<![^\s"'])--?(?<name>[A-Za-z][\w.-]*)(?=\s+(?<value>${quoted}|[^\s"'&;|<>-][^\s&;|<>]*))`,
      'dg',
    ),
  ),
  valueIn(
    /authorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token|digest|negotiate|apikey)\s+)?(?<value>[^\s"',;]+)/dgi,
  ),
  valueIn(/(?<!\w)bearer\s+(?=\S*\d)(?<value>[\w.~+/=-]{8,})/dgi),
  valueIn(/(?<!\w)(?:mysql|mariadb)\w*\s(?:[^;|&\n]*?\s)?-p(?<value>\S+)/dg),
  valueIn(/(?<!\w)sshpass\s+-p\s?(?<value>\S+)/dg),
  valueIn(/(?<!\w)redis-cli\s(?:[^;|&\n]*?\s)?-a\s+(?<value>\S+)/dg),
  valueIn(
    /(?<!\w)curl\s(?:[^;|&\n]*?\s)?(?:-u|-U|--user|--proxy-user)[\s=]?["']?[^\s:"']*:(?<value>[^\s"']+)/dg,
  ),
]

/** Letters, digits and signs of base64 that stand alone. */
const fortyCharacters = /(?<![\w/+.-])[A-Za-z0-9/+]{40}(?![\w/+=.-])/g

/** A secret access key of AWS has no form but its length: neither a hash in hexadecimal nor a path. */
function isMixed(text: string): boolean {
  const count = (pattern: RegExp) => text.match(pattern)?.length ?? 0
  return count(/[A-Z]/g) > 4 && count(/[a-z]/g) > 4 && count(/\d/g) > 0 && count(/\//g) < 6
}

/** A word without which none of the above finds anything: most texts have none. */
const pathHint =
  /(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]|eyJ|-----BEGIN|gh[pousr]_|github_pat_|glpat-|xox[a-z]-|xapp-|AIza|ya29\.|GOCSPX-|hooks\.slack/
const textHint = /pass|pwd|secret|token|key|cred|authorization|bearer|mysql|mariadb|redis-cli|curl/i

const mayHoldLogin = (text: string) => text.includes('@') && text.includes(':/')

/** Finds secrets in a path: what is only named like one there is none. */
export const pathFinder: Finder = (text) =>
  pathHint.test(text) || mayHoldLogin(text) ? unmistakable.flatMap((find) => find(text)) : []

/** Finds secrets in all other texts. */
export const textFinder: Finder = (text) => {
  const found = pathFinder(text)
  if (textHint.test(text)) for (const find of inText) found.push(...find(text))
  if (text.length >= 40) {
    for (const { 0: run, index } of text.matchAll(fortyCharacters)) {
      if (isMixed(run)) found.push([index, index + run.length])
    }
  }
  return found
}
