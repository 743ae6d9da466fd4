/**
 * A matcher for a shell pattern as libc's fnmatch(pattern, text, 0) sees it: `*` and `?` cross
 * slashes, leading dots are not special, `[abc]`, `[!abc]`, `[a-z]`, `[[:alpha:]]` and backslash
 * escapes work. Never slower than pattern length times text length.
 */
export function compileGlob(pattern: string, ignoreCase = false): (text: string) => boolean {
  const tokens = tokenize(ignoreCase ? lower(pattern) : pattern)
  const simple = simpleGlob(tokens)
  const match = simple ?? ((text: string) => matchTokens(tokens, text))
  return ignoreCase ? (text) => match(lower(text)) : match
}

/** ASCII letters in lower case; other characters stay. */
export function lower(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text
}

type Token = string | typeof star | typeof any | CharacterClass
const star = Symbol('*')
const any = Symbol('?')

interface CharacterClass {
  readonly negated: boolean
  /** Pairs of first and last code point. */
  readonly ranges: readonly number[]
}

function tokenize(pattern: string): Token[] {
  const tokens: Token[] = []
  const chars = [...pattern]
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i]!
    if (char === '*') {
      if (tokens.at(-1) !== star) tokens.push(star)
    } else if (char === '?') {
      tokens.push(any)
    } else if (char === '\\') {
      i += 1
      // As in fnmatch, a backslash at the end matches nothing at all.
      tokens.push(chars[i] ?? { negated: false, ranges: [] })
    } else if (char === '[') {
      const bracket = readBracket(chars, i)
      if (bracket === undefined) {
        tokens.push('[')
      } else {
        tokens.push(bracket.token)
        i = bracket.last
      }
    } else {
      tokens.push(char)
    }
  }
  return tokens
}

const named: Readonly<Record<string, readonly number[]>> = {
  alpha: [65, 90, 97, 122],
  digit: [48, 57],
  alnum: [48, 57, 65, 90, 97, 122],
  upper: [65, 90],
  lower: [97, 122],
  space: [9, 13, 32, 32],
  blank: [9, 9, 32, 32],
  punct: [33, 47, 58, 64, 91, 96, 123, 126],
  print: [32, 126],
  graph: [33, 126],
  cntrl: [0, 31, 127, 127],
  xdigit: [48, 57, 65, 70, 97, 102],
}

/** The class that opens at `start`; `undefined` when it never closes and so is a plain bracket. */
function readBracket(
  chars: readonly string[],
  start: number,
): { token: CharacterClass; last: number } | undefined {
  let i = start + 1
  const negated = chars[i] === '!' || chars[i] === '^'
  if (negated) i += 1
  const ranges: number[] = []
  for (let first = true; ; first = false) {
    const char = chars[i]
    if (char === undefined) return undefined
    if (char === ']' && !first) return { token: { negated, ranges }, last: i }
    if (char === '[' && chars[i + 1] === ':') {
      const close = chars.indexOf(':', i + 2)
      const name = close < 0 ? '' : chars.slice(i + 2, close).join('')
      if (named[name] !== undefined && chars[close + 1] === ']') {
        ranges.push(...named[name])
        i = close + 2
        continue
      }
    }
    if (char === '\\' && i + 1 < chars.length) i += 1
    const low = chars[i]!.codePointAt(0)!
    i += 1
    let high = low
    if (chars[i] === '-' && chars[i + 1] !== undefined && chars[i + 1] !== ']') {
      i += chars[i + 1] === '\\' && i + 2 < chars.length ? 2 : 1
      high = chars[i]!.codePointAt(0)!
      i += 1
    }
    ranges.push(low, high)
  }
}

/** Patterns of plain text with stars at the ends need no general matching. */
function simpleGlob(tokens: readonly Token[]): ((text: string) => boolean) | undefined {
  const inner = tokens.slice(tokens[0] === star ? 1 : 0, tokens.at(-1) === star ? -1 : undefined)
  if (!inner.every((token) => typeof token === 'string')) return undefined
  const text = inner.join('')
  if (tokens[0] === star && (tokens.length === 1 || tokens.at(-1) === star)) {
    return (value) => value.includes(text)
  }
  if (tokens[0] === star) return (value) => value.endsWith(text)
  if (tokens.at(-1) === star) return (value) => value.startsWith(text)
  return (value) => value === text
}

/** Greedy match that goes back to the last star only, which is enough for shell patterns. */
function matchTokens(tokens: readonly Token[], text: string): boolean {
  let token = 0
  let at = 0
  let starToken = -1
  let starAt = 0
  while (at < text.length) {
    const current = tokens[token]
    if (current === star) {
      starToken = token
      starAt = at
      token += 1
      continue
    }
    const code = text.codePointAt(at)!
    if (current !== undefined && matchOne(current, code)) {
      token += 1
      at += code > 0xffff ? 2 : 1
      continue
    }
    if (starToken < 0) return false
    starAt += text.codePointAt(starAt)! > 0xffff ? 2 : 1
    at = starAt
    token = starToken + 1
  }
  while (tokens[token] === star) token += 1
  return token === tokens.length
}

function matchOne(token: Token, code: number): boolean {
  if (token === any) return true
  if (typeof token === 'string') return token.codePointAt(0) === code
  if (typeof token === 'symbol') return false
  const { ranges } = token
  for (let i = 0; i < ranges.length; i += 2) {
    if (code >= ranges[i]! && code <= ranges[i + 1]!) return !token.negated
  }
  return token.negated
}
