import { describe, expect, it } from 'vitest'
import { compileRegex } from './regex.ts'

function matches(pattern: string, text: string): boolean {
  const regex = compileRegex(pattern)
  if ('problem' in regex) throw new Error(regex.problem)
  return regex.match(text)
}

describe('1.3 regex', () => {
  it('is anchored at both ends', () => {
    expect(matches('b', 'abc')).toBe(false)
    expect(matches('.*b.*', 'abc')).toBe(true)
    expect(matches('a|ab|abc', 'abc')).toBe(true)
  })

  it('has POSIX syntax', () => {
    expect(matches('[[:digit:]]+', '123')).toBe(true)
    for (const pattern of ['\\d', '\\w', '\\s', 'a\\b', '(?i)a', '\\pL', '(a)\\1', '(?:a)']) {
      expect(compileRegex(pattern)).toHaveProperty('problem')
    }
  })

  it('lets no dot match a newline, but classes', () => {
    expect(matches('a.b', 'a\nb')).toBe(false)
    expect(matches('a[^x]b', 'a\nb')).toBe(true)
  })

  it('sees U+FFFD in place of bytes that are not UTF-8', () => {
    expect(matches('a.b', 'a\udcffb')).toBe(true)
    expect(matches('a\ufffdb', 'a\udcffb')).toBe(true)
  })

  it('takes time linear in the text', () => {
    const start = performance.now()
    expect(matches('(a+)+b', 'a'.repeat(50_000))).toBe(false)
    expect(performance.now() - start).toBeLessThan(2000)
  })
})
