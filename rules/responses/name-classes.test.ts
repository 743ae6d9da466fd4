import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fitsPattern } from './match-response.ts'
import { nameClasses } from './name-classes.ts'

const vectorOf = (patterns: readonly string[], name: string) =>
  patterns.map((pattern) => fitsPattern(pattern, name))

describe('classes of names', () => {
  it('are found where patterns overlap', () => {
    const patterns = ['prod-*', '*-eu', 'prod-eu']
    const fits = nameClasses(patterns)!.map((one) => one.fits.map(Number).join(''))
    expect(fits.sort()).toEqual(['000', '010', '100', '110', '111'])
    expect(nameClasses([])).toEqual([{ example: 'x', fits: [] }])
    expect(nameClasses(['*'])).toHaveLength(1)
  })

  it('hold every name, and their examples are what they say', () => {
    const text = (letters: string, maxLength: number) =>
      fc
        .array(fc.constantFrom(...letters), { minLength: 1, maxLength })
        .map((characters) => characters.join(''))
    fc.assert(
      fc.property(
        fc.array(text('ab-*', 6), { maxLength: 4 }),
        fc.array(text('abc-', 8), { minLength: 1, maxLength: 30 }),
        (patterns, names) => {
          const classes = nameClasses(patterns)!
          for (const { example, fits } of classes) {
            expect(vectorOf(patterns, example)).toEqual(fits)
          }
          const known = new Set(classes.map(({ fits }) => fits.join()))
          expect(known.size).toBe(classes.length)
          for (const name of names) expect(known).toContain(vectorOf(patterns, name).join())
        },
      ),
    )
  })

  it('are not sought for ever', () => {
    const hostile = Array.from({ length: 40 }, (_, i) => `*${i % 10}*${(i * 7) % 10}*a*b*${i}*`)
    const since = performance.now()
    expect(nameClasses(hostile)).toBeUndefined()
    expect(performance.now() - since).toBeLessThan(10_000)
  })
})
