import type { FieldNode, Operand, TransformArg, TransformList, TransformName } from './ast.ts'
import type { Cursor } from './cursor.ts'
import { SyntaxStop } from './cursor.ts'
import { numberToken } from './parse-value.ts'

const field = /[a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+/y
const fieldArgument = /[^[\]"'\t\n\v\f\r ]+/y
const transformer = /(?:tolower|toupper|b64|basename|len|join|concat|getopt)\(/y

/**
 * What stands on the left of an operator, or in an output: a field or a transformer over fields.
 * `undefined` when neither stands here. Transformers may nest `depth` deep.
 */
export function parseOperand(cursor: Cursor, depth: number): Operand | undefined {
  return parseField(cursor) ?? parseTransformer(cursor, depth)
}

/** What may stand on the right instead of a constant: `val(field)` or a transformer. */
export function parseRightOperand(cursor: Cursor, depth: number): Operand | undefined {
  const start = cursor.at
  if (!cursor.takeText('val(')) return parseTransformer(cursor, depth)
  cursor.skipBlanks()
  const inner = parseField(cursor)
  if (inner === undefined) cursor.fail(`a field is expected in val(), found ${cursor.found()}`)
  closeArguments(cursor, start)
  return { kind: 'transform', name: 'val', args: [inner], ...cursor.span(start) }
}

function parseField(cursor: Cursor): FieldNode | undefined {
  const start = cursor.at
  const name = cursor.take(field)
  if (name === undefined) return undefined
  const argument = parseSelector(cursor)
  const text = argument === undefined ? name : `${name}[${argument}]`
  return { kind: 'field', text, ...cursor.span(start) }
}

/** `[…]` directly after a name. */
function parseSelector(cursor: Cursor): string | undefined {
  const start = cursor.at
  if (!cursor.takeText('[')) return undefined
  const argument = cursor.takeQuoted() ?? cursor.take(fieldArgument)
  if (argument === undefined) cursor.fail('an argument without blanks is expected after "["')
  if (!cursor.takeText(']')) cursor.fail('"]" is expected', start, cursor.at)
  return argument
}

function parseTransformer(cursor: Cursor, depth: number): Operand | undefined {
  const start = cursor.at
  const opening = cursor.take(transformer)
  if (opening === undefined) return undefined
  if (depth <= 0) {
    const message = 'transformers are nested too deep'
    throw new SyntaxStop({ code: 'too-deep', message, at: start, end: cursor.at })
  }
  const name = opening.slice(0, -1) as TransformName
  const args: TransformArg[] = []
  do {
    cursor.skipBlanks()
    args.push(parseArgument(cursor, depth - 1))
    cursor.skipBlanks()
  } while (cursor.takeText(','))
  closeArguments(cursor, start)
  const selector = parseSelector(cursor)
  return {
    kind: 'transform',
    name,
    args,
    ...(selector !== undefined && { selector }),
    ...cursor.span(start),
  }
}

function closeArguments(cursor: Cursor, start: number): void {
  cursor.skipBlanks()
  if (cursor.takeText(')')) return
  if (cursor.atEnd) cursor.fail('this parenthesis is never closed', start, start + 1)
  cursor.fail(`"," or ")" is expected, found ${cursor.found()}`)
}

function parseArgument(cursor: Cursor, depth: number): TransformArg {
  const start = cursor.at
  if (cursor.text[start] === '(') return parseArgumentList(cursor, depth)
  const quoted = cursor.takeQuoted()
  if (quoted !== undefined) return { kind: 'text', text: quoted, ...cursor.span(start) }
  const operand = parseOperand(cursor, depth)
  if (operand !== undefined) return operand
  const digits = cursor.take(numberToken)
  if (digits !== undefined) return { kind: 'number', text: digits, ...cursor.span(start) }
  return cursor.fail(
    `a field, a transformer, a quoted text or a number is expected, found ${cursor.found()}`,
  )
}

function parseArgumentList(cursor: Cursor, depth: number): TransformList {
  const start = cursor.at
  if (depth <= 0) {
    const message = 'transformers are nested too deep'
    throw new SyntaxStop({ code: 'too-deep', message, at: start, end: start + 1 })
  }
  cursor.at += 1
  const items: TransformArg[] = []
  cursor.skipBlanks()
  if (cursor.text[cursor.at] !== ')') {
    do {
      cursor.skipBlanks()
      items.push(parseArgument(cursor, depth - 1))
      cursor.skipBlanks()
    } while (cursor.takeText(','))
  }
  closeArguments(cursor, start)
  return { kind: 'items', items, ...cursor.span(start) }
}
