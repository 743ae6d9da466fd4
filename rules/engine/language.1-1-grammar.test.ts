import { describe, expect, it } from 'vitest'
import { parseCondition } from './parse.ts'
import { printCondition } from './print.ts'

const parsed = (text: string) => {
  const result = parseCondition(text)
  return 'expr' in result ? printCondition(result.expr) : `error: ${result.problem.message}`
}

describe('1.1 grammar', () => {
  it.each([
    ['a.b=1', 'a.b = 1'],
    ['a.b>1', 'a.b > 1'],
    ['a.b==x or c', '(a.b == x or c)'],
    ['not a and b', '(not a and b)'],
    ['a or b and c', '(a or (b and c))'],
    ['a and(b or c)', '(a and (b or c))'],
    ['a or(b)', '(a or b)'],
    ['not(a)', 'not a'],
    ['not not a', 'a'],
    ['not not(a)', 'a'],
    ['a and notb', '(a and notb)'],
    ['android', 'android'],
    ['orb and nota', '(orb and nota)'],
    ['a.b exists', 'a.b exists'],
    ['a.b existsand c', '(a.b exists and c)'],
    ['a.b in(x,y)', 'a.b in (x, y)'],
    ['a.b in ()', 'a.b in ()'],
    ['a.b pmatch( /x )', 'a.b pmatch (/x)'],
    ['a.b in name', 'a.b in name'],
    ['a.b inside', 'a.b in side'],
    ['a.b intersectsx', 'a.b intersects x'],
    ['a.b contains x', 'a.b contains x'],
    ['a.b startswith\tx', 'a.b startswith x'],
    ['a.b = oneof', 'a.b = oneof'],
    ['a.b = oneof and c', '(a.b = oneof and c)'],
    ['a.b = oneof (x, y)', 'a.b = oneof (x, y)'],
    ['a.b glob anyof(x)', 'a.b glob anyof (x)'],
    ['a.b != allof list1', 'a.b != allof list1'],
    ['a.b =oneof (x)', 'error: "and", "or" or the end is expected, found "("'],
    ['a.b[2] = x', 'a.b[2] = x'],
    ['a.b["x y"] = x', 'a.b["x y"] = x'],
    ['a.b < -1.5e+3', 'a.b < -1.5e+3'],
    ['a.b <= 0xff', 'a.b <= 0xff'],
    ['a.b > 5.', 'a.b > 5.'],
    ['a.b = val(c.d)', 'a.b = val(c.d)'],
    ['a.b = val( c.d[1] )', 'a.b = val(c.d[1])'],
    ['tolower(a.b) = x', 'tolower(a.b) = x'],
    ['join( "," , ( a.b , 1 , "x" ) ) = x', 'join(",", (a.b, 1, "x")) = x'],
    ['getopt(a.b, "n:")[n] = x', 'getopt(a.b, "n:")[n] = x'],
    ['a.b\b=\bx', 'a.b = x'],
    ['a.b = x\u00a0y', 'a.b = x\u00a0y'],
    ['a.b = >', 'a.b = >'],
    ['evt.dir=<', 'evt.dir = <'],
  ])('%j is read as %j', (text, expected) => {
    expect(parsed(text)).toBe(expected)
  })

  it.each([
    '',
    ' ',
    'a andb',
    'a or_b',
    'a and',
    'and a.b = 1',
    'a b',
    'a.b',
    'a.b [1] = x',
    'a.b[ 1] = x',
    'a.b[1 ] = x',
    'a.b[] = x',
    'a.b.1 = x',
    'tolower (a.b) = x',
    'tolower(x) = y',
    'a.b = tolower(val(c.d))',
    'a.b = val(tolower(c.d))',
    'val(a.b) = x',
    'a.b = val("x")',
    'a.b CONTAINS x',
    'a.b === x',
    'a.b !== x',
    'a.b containsx',
    'a.b < x',
    'a.b < "1"',
    'a.b in (x,)',
    'a.b in (,x)',
    'a.b in (x,,y)',
    'a.b in (x y)',
    'a.b in "x"',
    'a.b in (val(c.d))',
    'a.b = (x)',
    'a.b = anyof (tolower(c.d))',
    '(a',
    'a)',
    'not()',
    'a.b = ',
    'foo(a.b) = x',
  ])('%j is an error', (text) => {
    expect(parsed(text)).toMatch(/^error: /)
  })

  it('nests 1,000 deep and no deeper', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}a${')'.repeat(depth)}`
    expect(parsed(nested(1000))).toBe('a')
    expect(parsed(nested(1001))).toMatch(/nested 1000 deep at most/)
    const negated = (depth: number) => `${'not('.repeat(depth)}a.b=1${')'.repeat(depth)}`
    expect(parsed(negated(1000))).toMatch(/a\.b = 1/)
    expect(parsed(negated(1001))).toMatch(/nested 1000 deep at most/)
    expect(parsed(`${'not '.repeat(100_001)}a`)).toBe('not a')
  })
})

describe('1.2 texts and escapes', () => {
  const value = (text: string) => {
    const result = parseCondition(`a.b = ${text}`)
    if ('problem' in result) return undefined
    const { expr } = result
    return expr.kind === 'check' && expr.right?.kind === 'text' ? expr.right.text : undefined
  }

  it.each([
    ['a\\nb', 'a\\nb'],
    ['"a b"', 'a b'],
    ["'a \" b'", 'a " b'],
    ['"\\b\\f\\n\\r\\t\\\\ x\\/"', '\b\f\n\r\t\\ x/'],
    ['"\\x41\\x7e"', 'A~'],
    ['"\\xc3\\xa9"', 'é'],
    ['"\\xff"', '\udcff'],
    ['"\\""', '"'],
    ["'\\''", "'"],
    ['"\\ x"', '\\x'],
    ['""', ''],
  ])('%j is %j', (text, expected) => {
    expect(value(text)).toBe(expected)
  })

  it.each(['"\\\'"', "'\\\"'", '"\\q"', '"\\x4"', '"\\x4g"', '"a', '"a\\\\"', '\'a"'])(
    '%j is an error',
    (text) => {
      expect(value(text)).toBeUndefined()
    },
  )
})
