import { describe, expect, it } from 'vitest'
import { type StateStore, type StateWrite, stateValueLimit } from '#correlate'

let stores = 0

/**
 * What every adapter of the `StateStore` port must do. `create` gives a store that may hold items of
 * others, too.
 */
export function describeStateStore(name: string, create: () => Promise<StateStore>): void {
  const now = 1_790_000_000
  const later = now + 3600
  /** Keys that no other test uses. */
  const prefix = () => `contract/${process.pid}/${stores++}/`
  const first = (key: string, value: StateWrite['value'] = 1): StateWrite => ({
    ...{ key, value, from: 0, expires: later },
  })

  describe(`${name} as a state store`, () => {
    it('gives back what was written, and nothing for a key that was not', async () => {
      const store = await create()
      const key = `${prefix()}a`
      const value = {
        text: 'ä"\u0000𝄞',
        list: [1, null, true, [], {}],
        big: '18446744073709551615',
      }
      expect(await store.write([first(key, value)])).toEqual([])
      const found = await store.read([key, `${key}-not`], now)
      expect([...found]).toEqual([[key, { value, version: 1 }]])
    })

    it('reads and writes nothing without asking for more', async () => {
      const store = await create()
      expect([...(await store.read([], now))]).toEqual([])
      expect(await store.write([])).toEqual([])
    })

    it('counts the writes of an item', async () => {
      const store = await create()
      const key = `${prefix()}a`
      await store.write([first(key)])
      await store.write([{ ...first(key, 2), from: 1 }])
      expect((await store.read([key], now)).get(key)).toEqual({ value: 2, version: 2 })
    })

    it('names the keys that somebody else wrote, and writes the others', async () => {
      const store = await create()
      const key = prefix()
      await store.write([first(`${key}taken`, 'theirs')])
      const writes = [first(`${key}taken`, 'mine'), first(`${key}free`, 'mine')]
      expect(await store.write(writes)).toEqual([`${key}taken`])
      expect(await store.write([{ ...first(`${key}none`), from: 3 }])).toEqual([`${key}none`])
      const found = await store.read([`${key}taken`, `${key}free`, `${key}none`], now)
      expect(found.get(`${key}taken`)).toEqual({ value: 'theirs', version: 1 })
      expect(found.get(`${key}free`)).toEqual({ value: 'mine', version: 1 })
      expect(found.size).toBe(2)
    })

    it('lets one of many win who write at once', async () => {
      const store = await create()
      const key = `${prefix()}a`
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, i) => store.write([first(key, i)])),
      )
      const winners = answers.flatMap((conflicts, i) => (conflicts.length === 0 ? [i] : []))
      expect(winners).toHaveLength(1)
      expect((await store.read([key], now)).get(key)).toEqual({ value: winners[0], version: 1 })
    })

    it('does not show an item after its end, and shows it in its last second', async () => {
      const store = await create()
      const key = `${prefix()}a`
      await store.write([first(key)])
      expect((await store.read([key], later)).size).toBe(1)
      expect((await store.read([key], later + 1)).size).toBe(0)
    })

    it('takes a value of the largest size', async () => {
      const store = await create()
      const key = `${prefix()}a`
      const value = 'x'.repeat(stateValueLimit - 2)
      await store.write([first(key, value)])
      expect((await store.read([key], now)).get(key)?.value).toBe(value)
    })

    it('takes many keys at once', async () => {
      const store = await create()
      const key = prefix()
      const keys = Array.from({ length: 150 }, (_, i) => `${key}${i}`)
      expect(await store.write(keys.map((each) => first(each, each)))).toEqual([])
      const found = await store.read(keys, now)
      expect(keys.map((each) => found.get(each)?.value)).toEqual(keys)
    })

    it('names what is due, the oldest first, until it is written without', async () => {
      const store = await create()
      const key = prefix()
      const own = async (at: number) =>
        (await store.due(at, 1000)).filter((each) => each.startsWith(key))
      await store.write([
        { ...first(`${key}second`), due: now + 20 },
        { ...first(`${key}first`), due: now + 10 },
        { ...first(`${key}third`), due: now + 300 },
        first(`${key}never`),
      ])
      expect(await own(now + 9)).toEqual([])
      expect(await own(now + 20)).toEqual([`${key}first`, `${key}second`])
      expect(await store.due(now + 20, 1)).toHaveLength(1)
      await store.write([{ ...first(`${key}first`), from: 1 }])
      expect(await own(now + 300)).toEqual([`${key}second`, `${key}third`])
    })
  })
}
