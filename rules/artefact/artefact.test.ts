import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileRules, parseCondition, parseOutput, type Rule } from '#engine'
import { fieldMapSource, parseFieldMap } from '#events'
import { ArtefactError, decodeArtefact, encodeArtefact, type RuleArtefact } from './index.ts'
import { Suppressions } from './suppress.ts'

function exprOf(text: string) {
  const parsed = parseCondition(text)
  if ('problem' in parsed) throw new Error(parsed.problem.message)
  return parsed.expr
}

function ruleOf(name: string, condition: string): Rule {
  const output = parseOutput('%proc.name did')
  if ('problems' in output) throw new Error('output')
  return {
    ...{ name, source: 'syscall', description: 'd', condition: exprOf(condition) },
    ...{ output: output.template, extraFields: [], priority: 3, tags: ['T1'], enabled: true },
  }
}

const event = (fields: Record<string, string | number>) => {
  const result = parseFieldMap(fields)
  if (!('map' in result)) throw new Error('field map')
  return result.map
}

const empty: RuleArtefact = {
  ...{ ruleset: 'r', rules: [], correlations: [], suppressions: [], runbooks: {}, runbookOf: {} },
}

describe('an artefact', () => {
  it('reads back as what it was, whatever texts and numbers are in it', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.bigInt(),
        fc.string({ unit: 'binary' }),
        (name, until, markdown) => {
          const artefact: RuleArtefact = {
            ...empty,
            rules: [ruleOf(name, 'evt.type = openat and not proc.name in (a, "b c")')],
            suppressions: [{ name, owner: 'o', reason: 'r', until, parts: [{ rule: name }] }],
            runbooks: { [`k${name}`]: markdown.toWellFormed() },
          }
          expect(decodeArtefact(encodeArtefact(artefact))).toEqual(artefact)
        },
      ),
    )
  })

  it('judges as the rules that went into it', () => {
    const rules = [ruleOf('open', 'evt.type = openat and fd.name startswith /etc')]
    const { rules: read } = decodeArtefact(encodeArtefact({ ...empty, rules }))
    const program = compileRules(read, fieldMapSource, { matching: 'all' })
    const found = (name: string) =>
      program.evaluate(event({ 'evt.type': 'openat', 'fd.name': name })).map((rule) => rule.name)
    expect(found('/etc/shadow')).toEqual(['open'])
    expect(found('/tmp/x')).toEqual([])
  })

  it('is the same text for the same content, in whatever order its maps were made', () => {
    const one = encodeArtefact({ ...empty, runbooks: { a: '1', b: '2' } })
    expect(encodeArtefact({ ...empty, runbooks: { b: '2', a: '1' } })).toBe(one)
  })

  it.each([
    ['no JSON', '{', /no JSON/],
    ['something else', '{"format":"x"}', /not a rule set/],
    ['nothing', 'null', /not a rule set/],
    ['a newer version', '{"format":"lanner rules","version":2}', /version 2.*deploy the functions/],
    ['half of one', '{"format":"lanner rules","version":1,"ruleset":"x"}', /lacks a part/],
  ])('is refused when it is %s', (_, text, message) => {
    expect(() => decodeArtefact(text)).toThrow(ArtefactError)
    expect(() => decodeArtefact(text)).toThrow(message)
  })
})

describe('suppressions', () => {
  const window = {
    ...{ name: 'window', owner: 'payments', reason: 'CHG-1', from: 100n, until: 200n },
    ...{ parts: [{ rule: 'open' }], condition: exprOf('proc.name = apt') },
  }
  const rule = { name: 'open', tags: ['T1'] }
  const apt = event({ 'evt.type': 'openat', 'proc.name': 'apt' })
  const all = new Suppressions([window], fieldMapSource)

  it('cover from their first to their last nanosecond', () => {
    const at = (time: bigint) => all.of(rule, time, apt)?.name
    expect([99n, 100n, 200n, 201n].map(at)).toEqual([undefined, 'window', 'window', undefined])
  })

  it('cover their own rules and what their condition says alone', () => {
    const bash = event({ 'evt.type': 'openat', 'proc.name': 'bash' })
    expect(all.of(rule, 150n, bash)).toBeUndefined()
    expect(all.of({ name: 'other', tags: [] }, 150n, apt)).toBeUndefined()
  })

  it('with a condition never cover a correlation, which is of no one event', () => {
    expect(all.of(rule, 150n, undefined)).toBeUndefined()
    const plain = new Suppressions(
      [{ ...window, condition: exprOf('evt.num >= 0') }],
      fieldMapSource,
    )
    expect(plain.of(rule, 150n, undefined)).toBeUndefined()
    const { condition: _, ...whole } = window
    expect(new Suppressions([whole], fieldMapSource).of(rule, 150n, undefined)?.owner).toBe(
      'payments',
    )
  })

  it('of several, the one that lasts longest is named', () => {
    const long = { ...window, name: 'long', until: 900n, parts: [{ tag: 'T1' }] }
    expect(new Suppressions([window, long], fieldMapSource).of(rule, 150n, apt)?.name).toBe('long')
  })
})
