import { describe, expect, it } from 'vitest'
import { compileFinder } from './find-regex.ts'

function found(pattern: string, text: string): string[] {
  const finder = compileFinder(pattern)
  if ('problem' in finder) throw new Error(finder.problem)
  return finder.find(text).map(([start, end]) => text.slice(start, end))
}

describe('a finder', () => {
  it('finds every match, the first group where there is one', () => {
    expect(found('a+', 'baab a')).toEqual(['aa', 'a'])
    expect(found('pin=(\\d+)', 'pin=12 pin=x pin=345')).toEqual(['12', '345'])
    expect(found('(?i)b(x)?', 'Bx b')).toEqual(['x'])
    expect(found('x*', 'ab')).toEqual([])
  })

  it('counts in characters of the text, whatever they are', () => {
    expect(found('k=(.)', '\u{1f600}ü\udc80 k=7')).toEqual(['7'])
  })

  it('refuses what is no RE2', () => {
    for (const pattern of ['(', '(a)\\1', '(?=a)']) {
      expect(compileFinder(pattern)).toHaveProperty('problem')
    }
  })

  it('takes linear time', () => {
    expect(found('(?:a+)+$', `${'a'.repeat(2000)}b`)).toEqual([])
  })
})
