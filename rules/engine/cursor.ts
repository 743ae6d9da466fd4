import type { Span } from './ast.ts'
import type { Problem } from './problem.ts'
import { unescapeText } from './quoted-text.ts'

/** Stops the parser at its first mistake; never leaves this folder. */
export class SyntaxStop extends Error {
  override readonly name = 'SyntaxStop'
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.message)
    this.problem = problem
  }
}

const blanks = /[ \t\r\n\x08]*/y
const identifier = /[a-zA-Z][a-zA-Z0-9_]*/y

/** A place in a condition, and the ways to step over what stands there. */
export class Cursor {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  get atEnd(): boolean {
    return this.at >= this.text.length
  }

  /** Steps over what `pattern` (sticky) matches here; `undefined` when it does not. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)
    if (match === null) return undefined
    this.at += match[0].length
    return match[0]
  }

  takeText(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false
    this.at += text.length
    return true
  }

  takeIdentifier(): string | undefined {
    return this.take(identifier)
  }

  /** Steps over blanks; false when there are none. */
  skipBlanks(): boolean {
    return this.take(blanks) !== ''
  }

  looksAt(pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    return pattern.test(this.text)
  }

  /** A text between quotes; `undefined` when no quote stands here. */
  takeQuoted(): string | undefined {
    const start = this.at
    const quote = this.text[start]
    if (quote !== '"' && quote !== "'") return undefined
    let close = start
    do close = this.text.indexOf(quote, close + 1)
    while (close > 0 && this.text[close - 1] === '\\')
    if (close < 0) this.fail(`the quote ${quote} is never closed`, start)
    const result = unescapeText(this.text.slice(start + 1, close), quote)
    if ('problem' in result) this.fail(result.problem, start + 1 + result.offset)
    this.at = close + 1
    return result.text
  }

  fail(message: string, at = this.at, end = at + 1): never {
    throw new SyntaxStop({ code: 'syntax', message, at, end })
  }

  /** What stands here, for a message. */
  found(): string {
    if (this.atEnd) return 'the end'
    const word = /[^\s()",']+|[^\s]/y
    word.lastIndex = this.at
    return `"${(word.exec(this.text)?.[0] ?? '').slice(0, 40)}"`
  }

  span(at: number): Span {
    return { at, end: this.at }
  }
}
