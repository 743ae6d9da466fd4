import { describe, expect, it } from 'vitest'
import type { PathLists, WantedPaths } from '#engine'
import { encodeFilter } from './kernel-filter.ts'
import { FILTER, FILTER_BYTES } from './layout.ts'

const lists = (
  paths: Partial<Record<'exact' | 'prefixes' | 'suffixes', string[]>>,
  dotted = false,
) =>
  ({
    exact: new Set(paths.exact),
    prefixes: new Set(paths.prefixes),
    suffixes: new Set(paths.suffixes),
    dotted,
  }) satisfies PathLists
const none = lists({})
const opens = (...wanted: WantedPaths[]) => [...wanted, ...Array(8 - wanted.length).fill(none)]

function entriesOf(body: Uint8Array): string[] {
  const found: string[] = []
  for (let at = FILTER_BYTES; at < body.length; at += 4 + body[at + 3]!) {
    const text = String.fromCharCode(...body.subarray(at + 4, at + 4 + body[at + 3]!))
    found.push(
      `${body[at + 2] === 0 ? 'prefix' : 'suffix'} ${JSON.stringify(text)} ${body[at]! | (body[at + 1]! << 8)}`,
    )
  }
  return found
}

describe('the filter as the sensor takes it', () => {
  it('has a bit for each wanted call, by scope', () => {
    const { body } = encodeFilter({
      any: { syscalls: [0, 63, 64, 257], opens: opens() },
      host: { syscalls: [64], opens: opens() },
      environment: true,
    })
    const words = new BigUint64Array(body.slice(0, 128).buffer)
    expect([...words.subarray(0, 5)]).toEqual([(1n << 63n) | 1n, 1n, 0n, 0n, 2n])
    expect([...words.subarray(8, 13)]).toEqual([0n, 1n, 0n, 0n, 0n])
    expect(new DataView(body.buffer).getUint32(FILTER.environment, true)).toBe(1)
  })

  it('tells opens wanted everywhere from those wanted somewhere', () => {
    const { body } = encodeFilter({
      any: { syscalls: [], opens: opens('any', lists({ exact: ['/a'] }), lists({}, true), none) },
      host: { syscalls: [], opens: opens('any', none, lists({}, true), none) },
      environment: false,
    })
    const word = (at: number) => new DataView(body.buffer).getUint32(at, true)
    expect([FILTER.opens, FILTER.listed_opens, FILTER.dotted_opens].map(word)).toEqual([1, 2, 4])
    expect(word(FILTER.listed_opens + 4)).toBe(0)
    expect(word(FILTER.opens_differ)).toBe(1)
  })

  it('lists paths from the top and suffixes from the end, each with what its beginnings want', () => {
    const any = opens(
      lists({ exact: ['/etc/shadow'], prefixes: ['/etc'] }),
      lists({ prefixes: ['/etc/s'], suffixes: ['/.ssh/id_rsa', '.pem'] }),
    )
    const { entries, body } = encodeFilter({
      any: { syscalls: [], opens: any },
      host: { syscalls: [], opens: opens(lists({ prefixes: ['/etc'] })) },
      environment: false,
    })
    expect(entriesOf(body)).toEqual([
      'prefix "/etc/shadow\\u0000" 259',
      'prefix "/etc" 257',
      'prefix "/etc/s" 259',
      'suffix "asr_di/" 2',
      'suffix "mep." 2',
    ])
    expect(entries).toBe(5)
  })

  it('wants every path rather than too long a list', () => {
    const many = lists({ exact: Array.from({ length: 1100 }, (_, i) => `/f${i}`) })
    const all = { syscalls: [], opens: opens(many) }
    const { entries, body } = encodeFilter({ any: all, host: all, environment: false })
    expect(entries).toBe(0)
    expect(new DataView(body.buffer).getUint32(FILTER.opens, true)).toBe(1)
  })
})
