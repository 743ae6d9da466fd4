import type { Check, Expr, MacroRef, Right } from './ast.ts'
import {
  listOperators,
  type Modifier,
  type Operand,
  type Operator,
  orderOperators,
  symbolOperators,
  wordOperators,
} from './ast.ts'
import { Cursor, SyntaxStop } from './cursor.ts'
import { parseOperand, parseRightOperand } from './parse-operand.ts'
import { parseList, parseNumber, parseString } from './parse-value.ts'
import type { Problem } from './problem.ts'

/** Parentheses (and transformers) may stand this deep within each other. */
export const maxDepth = 1000

export type ParseResult = { readonly expr: Expr } | { readonly problem: Problem }

/** Parses the text of a condition. Stops at the first mistake. */
export function parseCondition(text: string): ParseResult {
  try {
    return { expr: new ConditionParser(text).parse() }
  } catch (stop) {
    if (stop instanceof SyntaxStop) return { problem: stop.problem }
    throw stop
  }
}

class ConditionParser {
  readonly cursor: Cursor
  depth = 0

  constructor(text: string) {
    this.cursor = new Cursor(text)
  }

  parse(): Expr {
    const { cursor } = this
    cursor.skipBlanks()
    if (cursor.atEnd) cursor.fail('the condition is empty', 0, 0)
    const expr = this.or()
    cursor.skipBlanks()
    if (!cursor.atEnd) {
      const parenthesis = cursor.text[cursor.at] === ')' ? ': no parenthesis is open' : ''
      cursor.fail(`"and", "or" or the end is expected, found ${cursor.found()}${parenthesis}`)
    }
    return expr
  }

  or(): Expr {
    const { cursor } = this
    const start = cursor.at
    const first = this.and()
    let items: Expr[] | undefined
    while (this.takeWord('or')) {
      items ??= [first]
      items.push(cursor.skipBlanks() ? this.and() : this.parenthesised())
    }
    return items === undefined ? first : { kind: 'or', items, at: start, end: cursor.at }
  }

  and(): Expr {
    const { cursor } = this
    const start = cursor.at
    const first = this.not()
    let items: Expr[] | undefined
    while (this.takeWord('and')) {
      items ??= [first]
      items.push(cursor.skipBlanks() ? this.not() : this.parenthesised())
    }
    return items === undefined ? first : { kind: 'and', items, at: start, end: cursor.at }
  }

  /** Steps over `word` where it joins two expressions: a blank or a parenthesis must follow. */
  takeWord(word: 'and' | 'or'): boolean {
    const { cursor } = this
    const before = cursor.at
    cursor.skipBlanks()
    const start = cursor.at
    if (!cursor.takeText(word)) {
      cursor.at = before
      return false
    }
    if (!cursor.looksAt(/[ \t\r\n\x08(]/y)) {
      cursor.fail(`a blank or "(" is expected after "${word}"`, start, cursor.at)
    }
    return true
  }

  not(): Expr {
    const { cursor } = this
    cursor.skipBlanks()
    const start = cursor.at
    let negated = false
    while (cursor.take(/not[ \t\r\n\x08]+/y) !== undefined) negated = !negated
    let item: Expr
    if (cursor.looksAt(/not\(/y)) {
      cursor.at += 3
      negated = !negated
      item = this.parenthesised()
    } else {
      item = this.check()
    }
    return negated ? { kind: 'not', item, at: start, end: cursor.at } : item
  }

  parenthesised(): Expr {
    const { cursor } = this
    const open = cursor.at
    cursor.at += 1
    this.enter(open)
    cursor.skipBlanks()
    const expr = this.or()
    cursor.skipBlanks()
    if (!cursor.takeText(')')) {
      if (cursor.atEnd) cursor.fail('this parenthesis is never closed', open)
      cursor.fail(`"and", "or" or ")" is expected, found ${cursor.found()}`)
    }
    this.depth -= 1
    return expr
  }

  enter(at: number): void {
    this.depth += 1
    if (this.depth <= maxDepth) return
    const message = `parentheses may be nested ${maxDepth} deep at most`
    throw new SyntaxStop({ code: 'too-deep', message, at, end: at + 1 })
  }

  check(): Expr {
    const { cursor } = this
    if (cursor.text[cursor.at] === '(') return this.parenthesised()
    const start = cursor.at
    const left = parseOperand(cursor, maxDepth - this.depth)
    if (left !== undefined) return this.comparison(left, start)
    const name =
      cursor.takeIdentifier() ??
      cursor.fail(`a field, a macro, "not" or "(" is expected, found ${cursor.found()}`)
    const macro: MacroRef = { kind: 'macro', name, ...cursor.span(start) }
    return macro
  }

  comparison(left: Operand, start: number): Check {
    const { cursor } = this
    cursor.skipBlanks()
    if (cursor.takeText('exists')) {
      return { kind: 'check', left, op: 'exists', ...cursor.span(start) }
    }
    const op = this.operator()
    const modifier = this.modifier(op)
    cursor.skipBlanks()
    const right = this.right(op, modifier)
    return {
      kind: 'check',
      left,
      op,
      ...(modifier !== undefined && { modifier }),
      right,
      ...cursor.span(start),
    }
  }

  operator(): Operator {
    const { cursor } = this
    for (const op of orderOperators) if (cursor.takeText(op)) return op
    for (const op of symbolOperators) if (cursor.takeText(op)) return op
    for (const op of wordOperators) {
      if (!cursor.text.startsWith(op, cursor.at)) continue
      const after = cursor.text[cursor.at + op.length]
      if (after === undefined || !/[ \t\r\n\x08]/.test(after)) continue
      cursor.at += op.length
      return op
    }
    for (const op of listOperators) if (cursor.takeText(op)) return op
    return cursor.fail(`an operator is expected, found ${cursor.found()}`)
  }

  /** `oneof`, `anyof` or `allof`, unless it is the constant itself. */
  modifier(op: Operator): Modifier | undefined {
    if (!symbolOperators.includes(op as never) && !wordOperators.includes(op as never)) return
    const { cursor } = this
    const isModifier =
      /[ \t\r\n\x08]+(?:oneof|anyof|allof)(?:[ \t\r\n\x08]*\(|[ \t\r\n\x08]+(?!(?:and|or|not)\b)[a-zA-Z])/y
    if (!cursor.looksAt(isModifier)) return undefined
    cursor.skipBlanks()
    return cursor.take(/oneof|anyof|allof/y) as Modifier
  }

  right(op: Operator, modifier: Modifier | undefined): Right {
    const { cursor } = this
    const isList = modifier !== undefined || listOperators.includes(op as never)
    if (isList && cursor.text[cursor.at] === '(') return parseList(cursor)
    if (modifier === undefined) {
      const operand = parseRightOperand(cursor, maxDepth - this.depth)
      if (operand !== undefined) return operand
    }
    if (orderOperators.includes(op as never)) return parseNumber(cursor)
    if (!isList) return parseString(cursor)
    const start = cursor.at
    const name =
      cursor.takeIdentifier() ?? cursor.fail(`"(" or a list is expected, found ${cursor.found()}`)
    return { kind: 'text', text: name, ...cursor.span(start) }
  }
}
