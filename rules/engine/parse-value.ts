import type { ListNode, TextNode } from './ast.ts'
import type { Cursor } from './cursor.ts'

const bare = /[^()"'\t\n\v\f\r =,]+/y
/** Falco's form, wider than what any type of number reads: hexadecimal and fractions are text. */
export const numberToken = /0[xX][0-9a-zA-Z]+|[+-]?\d+\.?\d*(?:[eE][+-]\d+)?/y

/** A constant: quoted, or bare up to a blank, a quote, a parenthesis, "=" or ",". */
export function parseString(cursor: Cursor): TextNode {
  const start = cursor.at
  const text = cursor.takeQuoted() ?? cursor.take(bare)
  if (text === undefined) cursor.fail(`a value is expected, found ${cursor.found()}`)
  return { kind: 'text', text, ...cursor.span(start) }
}

export function parseNumber(cursor: Cursor): TextNode {
  const start = cursor.at
  const text = cursor.take(numberToken)
  if (text === undefined) cursor.fail(`a number is expected, found ${cursor.found()}`)
  return { kind: 'text', text, ...cursor.span(start) }
}

/** `( a, "b", … )`, with the cursor at the parenthesis; may be empty. */
export function parseList(cursor: Cursor): ListNode {
  const start = cursor.at
  cursor.at += 1
  const items: TextNode[] = []
  cursor.skipBlanks()
  if (!cursor.takeText(')')) {
    for (;;) {
      items.push(parseString(cursor))
      cursor.skipBlanks()
      if (cursor.takeText(')')) break
      if (!cursor.takeText(',')) {
        if (cursor.atEnd) cursor.fail('this list is never closed', start)
        cursor.fail(`"," or ")" is expected in the list, found ${cursor.found()}`)
      }
      cursor.skipBlanks()
    }
  }
  return { kind: 'list', items, ...cursor.span(start) }
}
