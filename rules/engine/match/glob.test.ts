import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileGlob } from './glob.ts'

const matches = (pattern: string, text: string, ignoreCase = false) =>
  compileGlob(pattern, ignoreCase)(text)

describe('1.3 glob', () => {
  it('lets * and ? cross slashes and match leading dots', () => {
    expect(matches('/home/*/.ssh/*', '/home/a/b/.ssh/id')).toBe(true)
    expect(matches('/etc?passwd', '/etc/passwd')).toBe(true)
    expect(matches('*', '.hidden')).toBe(true)
    expect(matches('*../*../*', '/a/../../b')).toBe(true)
  })

  it('knows classes, negated classes, ranges and names of classes', () => {
    expect(matches('[abc]x', 'bx')).toBe(true)
    expect(matches('[!abc]x', 'bx')).toBe(false)
    expect(matches('[!abc]x', 'dx')).toBe(true)
    expect(matches('[a-c][0-9]', 'b7')).toBe(true)
    expect(matches('[]x]', ']')).toBe(true)
    expect(matches('[[:digit:]]*', '7up')).toBe(true)
    expect(matches('[a', '[a')).toBe(true)
    expect(matches('[\\]]', ']')).toBe(true)
  })

  it('takes an escaped character as itself', () => {
    expect(matches('a\\*b', 'a*b')).toBe(true)
    expect(matches('a\\*b', 'axb')).toBe(false)
  })

  it('ignores the case of ASCII letters when asked to', () => {
    expect(matches('*SHADOW', '/etc/shadow', true)).toBe(true)
    expect(matches('*SHADOW', '/etc/shadow')).toBe(false)
  })

  it('agrees with a plain recursive definition', () => {
    const slow = (p: string, t: string): boolean => {
      if (p === '') return t === ''
      if (p[0] === '*') return slow(p.slice(1), t) || (t !== '' && slow(p, t.slice(1)))
      return t !== '' && (p[0] === '?' || p[0] === t[0]) && slow(p.slice(1), t.slice(1))
    }
    fc.assert(
      fc.property(
        fc.stringMatching(/^[ab*?]{0,8}$/),
        fc.stringMatching(/^[ab]{0,8}$/),
        (pattern, text) => {
          expect(matches(pattern, text)).toBe(slow(pattern, text))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('takes no exponential time', () => {
    expect(matches(`${'*a'.repeat(40)}b`, 'a'.repeat(5000))).toBe(false)
  })
})
