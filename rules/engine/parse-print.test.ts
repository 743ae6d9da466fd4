import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Expr } from './ast.ts'
import { parseCondition } from './parse.ts'
import { printCondition } from './print.ts'
import { conditions, plain } from './testing/condition-arbitrary.ts'

function parse(text: string): Expr {
  const result = parseCondition(text)
  if ('problem' in result) throw new Error(`${text}: ${result.problem.message}`)
  return result.expr
}

function mistake(text: string): string {
  const result = parseCondition(text)
  if (!('problem' in result)) throw new Error(`${text} parses`)
  return `${result.problem.at}: ${result.problem.message}`
}

function nested(depth: number): string {
  return `${'('.repeat(depth)}evt.num=1${')'.repeat(depth)}`
}

describe('1.1 the grammar', () => {
  it('gives "not" precedence over "and" over "or"', () => {
    expect(printCondition(parse('not a and b or c and d'))).toBe('((not a and b) or (c and d))')
  })

  it('keeps groups flat and negations toggled', () => {
    expect(printCondition(parse('a and b and c'))).toBe('(a and b and c)')
    expect(printCondition(parse('not not a'))).toBe('a')
    expect(printCondition(parse('not not not a'))).toBe('not a')
    expect(printCondition(parse('not(a or b)and(c)'))).toBe('(not (a or b) and c)')
  })

  it('needs blanks only where Falco does', () => {
    expect(printCondition(parse('a.b=1 and a.b>1'))).toBe('(a.b = 1 and a.b > 1)')
    expect(printCondition(parse('a.b in(x,y)'))).toBe('a.b in (x, y)')
    expect(printCondition(parse('a and notb'))).toBe('(a and notb)')
    expect(mistake('a or_b')).toMatch(/^2: a blank or "\(" is expected after "or"/)
    expect(mistake('a andb')).toMatch(/^2: a blank/)
    expect(mistake('a.b containsx')).toMatch(/^4: an operator is expected/)
  })

  it('reads "exists" and "in" as prefixes', () => {
    expect(printCondition(parse('a.b existsand c'))).toBe('(a.b exists and c)')
    expect(printCondition(parse('proc.name inside'))).toBe('proc.name in side')
  })

  it('takes a list operator without parentheses', () => {
    expect(printCondition(parse('a.b in shells'))).toBe('a.b in shells')
  })

  it('takes a modifier only before a list or a name', () => {
    expect(printCondition(parse('a.b = oneof (x, y)'))).toBe('a.b = oneof (x, y)')
    expect(printCondition(parse('a.b startswith anyof(x)'))).toBe('a.b startswith anyof (x)')
    expect(printCondition(parse('a.b = allof names and c'))).toBe('(a.b = allof names and c)')
    expect(printCondition(parse('a.b = oneof and c'))).toBe('(a.b = oneof and c)')
    expect(printCondition(parse('a.b = oneof'))).toBe('a.b = oneof')
  })

  it('takes only numbers after an order operator', () => {
    expect(printCondition(parse('a.b >= -1'))).toBe('a.b >= -1')
    expect(mistake('a.b < x')).toBe('6: a number is expected, found "x"')
    expect(printCondition(parse('a.b < val(c.d)'))).toBe('a.b < val(c.d)')
  })

  it('takes empty lists, but no trailing or double commas', () => {
    expect(printCondition(parse('a.b in ( )'))).toBe('a.b in ()')
    expect(mistake('a.b in (x,)')).toBe('10: a value is expected, found ")"')
    expect(mistake('a.b in (x,,y)')).toBe('10: a value is expected, found ","')
    expect(mistake('a.b in (x')).toBe('7: this list is never closed')
  })

  it('refuses what is empty, unfinished or too much', () => {
    expect(mistake('')).toBe('0: the condition is empty')
    expect(mistake(' \n')).toBe('0: the condition is empty')
    expect(mistake('a b')).toBe('2: "and", "or" or the end is expected, found "b"')
    expect(mistake('a)')).toMatch(/^1: .*no parenthesis is open$/)
    expect(mistake('(a')).toBe('0: this parenthesis is never closed')
    expect(mistake('a.b === 1')).toMatch(/a value is expected, found "="/)
  })

  it('works 1,000 parentheses deep and refuses one more', () => {
    expect(printCondition(parse(nested(1000)))).toBe('evt.num = 1')
    expect(mistake(nested(1001))).toBe('1000: parentheses may be nested 1000 deep at most')
    const groups = `${'(a and (b or '.repeat(500)}c${'))'.repeat(500)}`
    expect(parse(printCondition(parse(groups)))).toEqual(parse(printCondition(parse(groups))))
  })
})

describe('1.2 strings', () => {
  const value = (text: string) => {
    const expr = parse(`a.b = ${text}`)
    return expr.kind === 'check' && expr.right?.kind === 'text' ? expr.right.text : undefined
  }

  it('are verbatim when bare', () => {
    expect(value('runc:[0:PARENT]')).toBe('runc:[0:PARENT]')
    expect(value('a\\nb')).toBe('a\\nb')
  })

  it('resolve their escapes when quoted', () => {
    expect(value('"a\\tb\\x41\\"\\/"')).toBe('a\tbA"/')
    expect(value("'it\\'s'")).toBe("it's")
    expect(value('"\\xc3\\xa9"')).toBe('é')
    expect(value('"a\\ b"')).toBe('a\\b')
    expect(mistake("a.b = '\\\"'")).toBe("7: there is no escape \\\" in '…'")
    expect(mistake('a.b = "\\q"')).toMatch(/there is no escape \\q/)
    expect(mistake('a.b = "\\x4"')).toMatch(/two hexadecimal digits/)
    expect(mistake('a.b = "x')).toBe('6: the quote " is never closed')
  })

  it('close at the first quote that no backslash precedes', () => {
    expect(mistake('a.b = "x\\\\"')).toBe('6: the quote " is never closed')
  })
})

describe('1.5 transformers', () => {
  it('nest and take fields, quoted texts, numbers and lists', () => {
    const text = 'join(", ", (proc.name, "x", toupper(proc.pname), 3)) = tolower(proc.exe)'
    expect(printCondition(parse(text))).toBe(
      'join(", ", (proc.name, "x", toupper(proc.pname), 3)) = tolower(proc.exe)',
    )
    expect(printCondition(parse('getopt(proc.args, "nt:")[t] exists'))).toBe(
      'getopt(proc.args, "nt:")[t] exists',
    )
    expect(mistake('toupper(x) = y')).toMatch(/^8: a field, a transformer/)
  })
})

describe('printing', () => {
  it('is undone by parsing, for any condition', () => {
    fc.assert(
      fc.property(conditions, (expr) => {
        expect(plain(parse(printCondition(expr)))).toEqual(plain(expr))
      }),
    )
  })
})
