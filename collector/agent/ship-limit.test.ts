import { describe, expect, it } from 'vitest'
import type { Rule } from '#engine'
import { ShipLimit } from './ship-limit.ts'

const second = 1_000_000_000n
const rule = (name: string, priority: number) => ({ name, priority }) as Rule
const noisy = rule('noisy', 5)
const quiet = rule('quiet', 5)
const severe = rule('severe', 1)

function setUp(perSecond = 10) {
  const said: string[] = []
  const limit = new ShipLimit({ perSecond, announce: (text) => said.push(text) })
  const offer = (rules: readonly Rule[], count: number, now: bigint) => {
    let admitted = 0
    for (let i = 0; i < count; i++) if (limit.admit(rules, now)) admitted += 1
    return admitted
  }
  return { limit, said, offer }
}

describe('the limit of what a node ships', () => {
  it('lets everything through below it', () => {
    const { limit, offer } = setUp()
    for (let s = 0n; s < 5n; s++) expect(offer([noisy], 10, s * second)).toBe(10)
    expect(limit.figures).toEqual({ heldBack: [], dropped: 0 })
  })

  it('holds back the noisiest of the least severe rules first', () => {
    const { limit, said, offer } = setUp()
    expect(offer([quiet], 2, 0n)).toBe(2)
    expect(offer([severe], 3, 0n)).toBe(3)
    expect(offer([noisy], 20, 0n)).toBe(6)
    expect(limit.figures.heldBack).toEqual(['noisy'])
    expect(said[0]).toMatch(/holding back "noisy" \(Notice/)
    // one a second still shows that it goes on
    expect(offer([noisy], 100, second)).toBe(1)
    expect(offer([severe], 5, second)).toBe(5)
    expect(offer([quiet], 3, second)).toBe(3)
    expect(limit.figures.dropped).toBe(14 + 99)
  })

  it('ships an event that another rule wants, too', () => {
    const { offer } = setUp()
    offer([noisy], 30, 0n)
    expect(offer([noisy, severe], 5, second)).toBe(5)
  })

  it('never ships more than twice the limit in a second, whatever the rules', () => {
    const { offer } = setUp()
    let admitted = 0
    for (let i = 0; i < 1000; i++) admitted += offer([rule(`r${i}`, 0)], 1, 0n)
    expect(admitted).toBeLessThanOrEqual(20)
  })

  it('lets go when there is room again, and says what it cost', () => {
    const { limit, said, offer } = setUp()
    for (let s = 0n; s < 29n; s++) offer([noisy], 100, s * second)
    expect(limit.figures.heldBack).toEqual(['noisy'])
    for (let s = 29n; s < 40n; s++) offer([noisy], 100, s * second)
    expect(limit.figures.heldBack).toEqual(['noisy'])
    offer([noisy], 5, 40n * second)
    expect(offer([noisy], 5, 41n * second)).toBe(5)
    expect(limit.figures.heldBack).toEqual([])
    expect(said.at(-1)).toMatch(/"noisy" is shipped again; \d+ of its events were not/)
  })
})
