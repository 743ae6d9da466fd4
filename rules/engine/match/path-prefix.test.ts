import { describe, expect, it } from 'vitest'
import { compilePathPrefixes } from './path-prefix.ts'

describe('1.3 pmatch', () => {
  const matches = (patterns: string[], text: string) => compilePathPrefixes(patterns)(text)

  it('matches a path and everything below it', () => {
    expect(matches(['/etc'], '/etc')).toBe(true)
    expect(matches(['/etc'], '/etc/passwd')).toBe(true)
    expect(matches(['/etc'], '/etcetera')).toBe(false)
    expect(matches(['/etc/ssh'], '/etc')).toBe(false)
  })

  it('ignores leading, trailing and double slashes', () => {
    expect(matches(['//etc//ssh/'], 'etc/ssh/x')).toBe(true)
    expect(matches(['/'], '/any/thing')).toBe(true)
  })

  it('takes a shell pattern for exactly one component', () => {
    expect(matches(['/home/*/.ssh'], '/home/u/.ssh/id')).toBe(true)
    expect(matches(['/home/*/.ssh'], '/home/u/v/.ssh/id')).toBe(false)
  })

  it('tries every pattern that matches a component', () => {
    expect(matches(['/a*/x', '/*b/y'], '/ab/y')).toBe(true)
    expect(matches(['/ab/x', '/a*/y'], '/ab/y')).toBe(true)
  })

  it('matches nothing without patterns', () => {
    expect(matches([], '/')).toBe(false)
  })
})
