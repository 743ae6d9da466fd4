import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { costOf, nodeCost, usageOf } from './model.ts'
import { guardDuty } from './prices.ts'
import { report } from './report.ts'

describe('the cost model', () => {
  it('is what infra/cost.md says: run `npx node infra/cost/main.ts` when it is not', () => {
    expect(readFileSync(new URL('../cost.md', import.meta.url), 'utf8')).toBe(report())
  })

  it('knows GuardDuty’s steps', () => {
    expect([50, 500, 5000].map((nodes) => Number(guardDuty(nodes).toFixed(2)))).toEqual([
      12, 6.75, 2.58,
    ])
  })

  it('costs more for more of anything, in all and never less in one term', () => {
    const base = { nodes: 500, rate: 200, shipped: 0.005 }
    for (const more of [{ nodes: 1000 }, { rate: 400 }, { shipped: 0.02 }]) {
      const [before, after] = [costOf(base), costOf({ ...base, ...more })]
      for (const [term, dollars] of Object.entries(before)) {
        expect(after[term as keyof typeof after]).toBeGreaterThanOrEqual(dollars)
      }
    }
  })

  it('of a silent fleet is heartbeats and what stands still', () => {
    const { records, detections } = usageOf({ nodes: 300, rate: 0, shipped: 0 })
    expect(records).toBeCloseTo(10)
    expect(detections).toBe(0)
    expect(nodeCost({ nodes: 5000, rate: 0, shipped: 0 }).perNode).toBeLessThan(0.5)
  })
})
