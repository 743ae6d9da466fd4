import { fieldCatalogue, nearestName, parseFieldName } from '#events'
import type { Operand } from './ast.ts'
import { mistakeOf } from './checks/report-bad-transformer.ts'
import { Cursor, SyntaxStop } from './cursor.ts'
import { parseOperand } from './parse-operand.ts'
import { didYouMean, type Problem } from './problem.ts'
import { eachOperand } from './walk.ts'

/** An output text cut at its `%` tokens. */
export interface OutputTemplate {
  readonly text: string
  readonly parts: readonly OutputPart[]
}

export type OutputPart = string | OutputToken

export interface OutputToken {
  readonly operand: Operand
  /** Pads with blanks, or cuts, to exactly so many characters. */
  readonly width?: number
}

export type OutputResult =
  | { readonly template: OutputTemplate }
  | { readonly problems: readonly Problem[] }

/**
 * Reads an output text. `%` begins a token: an optional width, then a field or a transformer; the
 * longest field name that exists counts, so that `%proc.nameand` is `%proc.name` and "and". There is
 * no escape for a percent sign.
 */
export function parseOutput(text: string): OutputResult {
  const parts: OutputPart[] = []
  const problems: Problem[] = []
  let from = 0
  for (;;) {
    const percent = text.indexOf('%', from)
    if (percent < 0) break
    if (percent > from) parts.push(text.slice(from, percent))
    const token = readToken(text, percent)
    if ('problem' in token) {
      problems.push(token.problem)
      from = token.problem.end
    } else {
      parts.push(token.token)
      from = token.end
    }
  }
  if (from < text.length) parts.push(text.slice(from))
  return problems.length > 0 ? { problems } : { template: { text, parts } }
}

type TokenResult =
  | { readonly token: OutputToken; readonly end: number }
  | { readonly problem: Problem }

function readToken(text: string, percent: number): TokenResult {
  const digits = /\d*/y
  digits.lastIndex = percent + 1
  const width = digits.exec(text)![0]
  const start = percent + 1 + width.length
  const operand = readTransformer(text, start) ?? readField(text, start)
  if ('problem' in operand) return operand
  return {
    token: { operand, ...(width !== '' && { width: Number(width) }) },
    end: operand.end,
  }
}

function readTransformer(text: string, start: number): Operand | { problem: Problem } | undefined {
  const name = /(?:tolower|toupper|b64|basename|len|join|concat|getopt)\(/y
  name.lastIndex = start
  if (!name.test(text)) return undefined
  const cursor = new Cursor(text)
  cursor.at = start
  try {
    const operand = parseOperand(cursor, 100)!
    let problem: Problem | undefined
    eachOperand(operand, (node) => {
      const { at, end } = node
      if (node.kind === 'field') {
        const field = parseFieldName(node.text)
        if (!('problem' in field)) return
        const message = `${node.text}: ${field.problem}${didYouMean(field.nearest)}`
        problem ??= { code: 'unknown-field', message, at, end }
      } else {
        const message = mistakeOf(node)
        if (message !== undefined) problem ??= { code: 'bad-transformer', message, at, end }
      }
    })
    return problem === undefined ? operand : { problem }
  } catch (stop) {
    if (stop instanceof SyntaxStop) return { problem: stop.problem }
    throw stop
  }
}

function readField(text: string, start: number): Operand | { problem: Problem } {
  const name = /[a-zA-Z][a-zA-Z0-9_.]*/y
  name.lastIndex = start
  const longest = name.exec(text)?.[0] ?? ''
  for (let length = longest.length; length > 0; length--) {
    const end = start + length
    const field = fieldAt(text, start, end)
    if (field !== undefined) return field
  }
  const wanted = longest.replace(/\.$/, '')
  const message =
    wanted === ''
      ? '% begins a field; there is no way to write a percent sign'
      : `%${wanted}: no such field${didYouMean(nearestName(wanted, fieldCatalogue.keys()))}`
  const end = start + Math.max(wanted.length, 0)
  return { problem: { code: 'unknown-field', message, at: start - 1, end: Math.max(end, start) } }
}

/** The field named by the text from `start` to `end`, with the argument in brackets after it. */
function fieldAt(text: string, start: number, end: number): Operand | undefined {
  const name = text.slice(start, end)
  const argument = /\[(?:[^[\]"'\s]+|"[^"]*"|'[^']*')\]/y
  argument.lastIndex = end
  const bracket = argument.exec(text)?.[0]
  if (bracket !== undefined) {
    const full = `${name}[${bracket.slice(1, -1).replace(/^(["'])(.*)\1$/, '$2')}]`
    if (!('problem' in parseFieldName(full))) {
      return { kind: 'field', text: full, at: start, end: end + bracket.length }
    }
  }
  if ('problem' in parseFieldName(name)) return undefined
  return { kind: 'field', text: name, at: start, end }
}
