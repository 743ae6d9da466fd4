import { describe, expect, it } from 'vitest'
import { AssignmentError, parseAssignment, setOf } from './assignment.ts'

const [a, b, c] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string]

describe('an assignment', () => {
  const assignment = parseAssignment(
    JSON.stringify({
      default: a,
      clusters: { pinned: { set: b }, canary: { labels: ['team=x', 'env=canary'] } },
      labels: { 'env=canary': c },
    }),
  )

  it('names the set of a cluster: its own, that of a label, the default', () => {
    expect(setOf(assignment, 'pinned')).toBe(b)
    expect(setOf(assignment, 'canary')).toBe(c)
    expect(setOf(assignment, 'other')).toBe(a)
    expect(setOf(assignment, 'constructor')).toBe(a)
    expect(setOf(parseAssignment('{}'), 'other')).toBeUndefined()
  })

  it('is told all that is wrong with it', () => {
    const text = JSON.stringify({
      ...{ default: 'x', cluster: {}, labels: { 'env=x': 3 } },
      clusters: { one: { labels: 'no' }, two: [] },
    })
    expect(() => parseAssignment(text)).toThrow(AssignmentError)
    expect(() => parseAssignment(text)).toThrow(
      /cluster is not one of.*default is not the hash.*clusters\.one\.labels.*clusters\.two is not a map.*labels\.env=x/,
    )
    expect(() => parseAssignment('{')).toThrow(/no JSON/)
  })
})
