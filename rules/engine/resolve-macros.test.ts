import { describe, expect, it } from 'vitest'
import { fieldMapSource } from '#events'
import type { Expr } from './ast.ts'
import { compileRules } from './compile-rules.ts'
import { relaxRules } from './edge-filter.ts'
import { interpret } from './interpret.ts'
import { parseCondition } from './parse.ts'
import { printCondition } from './print.ts'
import { resolveMacros } from './resolve-macros.ts'
import { ruleOf } from './testing/rule-arbitrary.ts'
import { wantedOpenClasses } from './wanted-calls.ts'

function parse(text: string): Expr {
  const result = parseCondition(text)
  if ('problem' in result) throw new Error(result.problem.message)
  return result.expr
}

function nested(depth: number, inner: string): string {
  const pair = '(proc.name=x or (proc.name=y and '
  return pair.repeat(depth / 2) + inner + '))'.repeat(depth / 2)
}

describe('macros', () => {
  it('stand for a tree of their own', () => {
    const macros = new Map([['m', parse('a.b=1 or a.b=2')]])
    const resolved = resolveMacros(parse('not m and c.d=3'), macros) as Expr
    expect(printCondition(resolved)).toBe('(not (a.b = 1 or a.b = 2) and c.d = 3)')
  })

  it('are reported when nobody knows them, each once, with the nearest name', () => {
    const macros = new Map([['open_read', parse('a.b=1')]])
    expect(resolveMacros(parse('open_raed and (x or x)'), macros)).toMatchObject([
      {
        code: 'undefined-macro',
        at: 0,
        message: expect.stringContaining('did you mean open_read?'),
      },
      { code: 'undefined-macro', at: 15, end: 16 },
    ])
  })

  it('may make conditions deep, but not so deep that a walk over them fails', () => {
    const inner = parse(nested(998, 'fd.num=1'))
    const deep = resolveMacros(parse(nested(200, 'm')), new Map([['m', inner]])) as Expr
    const rules = [ruleOf('deep', deep)]
    const event = { 'evt.type': 'open', 'proc.name': 'y', 'fd.num': 1 }
    const program = compileRules(rules, fieldMapSource, { matching: 'all' })
    expect(program.evaluate(event).length).toBe(1)
    expect(interpret(deep, event, fieldMapSource)).toBe(true)
    expect(wantedOpenClasses(rules)).toBe(0xff)
    expect(relaxRules(rules, () => false).length).toBe(1)
    const twice = resolveMacros(parse(nested(998, 'm')), new Map([['m', deep]]))
    expect(twice).toMatchObject([{ code: 'too-deep' }])
  })
})
