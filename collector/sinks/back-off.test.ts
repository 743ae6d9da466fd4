import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backOff, steadyClock } from './back-off.ts'

const pace = { firstMs: 200, maxMs: 30_000 }

describe('the back-off', () => {
  it('doubles up to the maximum', () => {
    const most = [1, 2, 3, 4, 8, 9, 100, Number.POSITIVE_INFINITY].map((failures) =>
      backOff(failures, pace, () => 1),
    )
    expect(most).toEqual([200, 400, 800, 1600, 25_600, 30_000, 30_000, 30_000])
  })

  it('leaves half to chance', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.double({ min: 0, max: 1, noNaN: true }), (more, chance) => {
        const [least, some, most] = [0, chance, 1].map((c) => backOff(1 + more, pace, () => c))
        expect(least).toBe(most! / 2)
        expect(some).toBeGreaterThanOrEqual(least!)
        expect(some).toBeLessThanOrEqual(most!)
      }),
    )
  })
})

describe('the steady clock', () => {
  it('sleeps no longer than until the signal', async () => {
    const started = steadyClock.now()
    await steadyClock.sleep(60_000, AbortSignal.timeout(5))
    await steadyClock.sleep(60_000, AbortSignal.abort())
    expect(steadyClock.now() - started).toBeLessThan(30_000)
    await steadyClock.sleep(5, new AbortController().signal)
    expect(steadyClock.now() - started).toBeGreaterThanOrEqual(9)
  })
})
