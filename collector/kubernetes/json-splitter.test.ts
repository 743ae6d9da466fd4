import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonSplitter } from './json-splitter.ts'

function split(
  depth: 1 | 3,
  bytes: Buffer,
  cuts: readonly number[] = [],
  limits: { objectLimit?: number; restLimit?: number } = {},
) {
  const objects: unknown[] = []
  const splitter = new JsonSplitter({
    depth,
    objectLimit: 1 << 20,
    restLimit: 1 << 20,
    onObject: (json) => objects.push(json),
    ...limits,
  })
  let from = 0
  for (const cut of [...cuts].map((each) => each % (bytes.length + 1)).sort((a, b) => a - b)) {
    splitter.push(bytes.subarray(from, cut))
    from = cut
  }
  splitter.push(bytes.subarray(from))
  return { objects, splitter }
}

const object = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue())
const cuts = fc.array(fc.nat(5000))
/** `-0` has no text of its own in JSON. */
const asJson = (value: unknown) => JSON.parse(JSON.stringify(value))

describe('a stream of objects', () => {
  it('gives each object, wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(object),
        cuts,
        fc.constantFrom('\n', '', ' \r\n'),
        (all, at, between) => {
          const bytes = Buffer.from(all.map((each) => JSON.stringify(each) + between).join(''))
          expect(split(1, bytes, at).objects).toEqual(asJson(all))
        },
      ),
    )
  })

  it('gives what is whole when it breaks off', () => {
    expect(split(1, Buffer.from('{"a":1}\n{"b":"}')).objects).toEqual([{ a: 1 }])
  })

  it('passes over an object that is too large, and goes on', () => {
    const bytes = Buffer.from(`{"a":"${'x'.repeat(500)}"}\n{"b":{"c":2}}`)
    const { objects, splitter } = split(1, bytes, [100, 300], { objectLimit: 100 })
    expect(objects).toEqual([{ b: { c: 2 } }])
    expect(splitter.oversized).toBe(1)
  })

  it('throws at what is no JSON', () => {
    for (const text of ['no', '{"a":1}]', '}', '{"a" 1}']) {
      expect(() => split(1, Buffer.from(text)), text).toThrow(SyntaxError)
    }
  })
})

describe('a list', () => {
  it('gives each item, and in the end the rest', () => {
    fc.assert(
      fc.property(fc.array(object), object, cuts, fc.boolean(), (items, metadata, at, last) => {
        const list = last ? { kind: 'L', metadata, items } : { items, kind: 'L', metadata }
        const { objects, splitter } = split(3, Buffer.from(JSON.stringify(list)), at)
        expect(objects).toEqual(asJson(items))
        expect(splitter.end()).toEqual(asJson({ ...list, items: items.map(() => null) }))
      }),
    )
  })

  it('has an end, or is an error', () => {
    const { splitter } = split(3, Buffer.from('{"items":[{"a":1},'))
    expect(() => splitter.end()).toThrow('ends too early')
  })

  it('has little around its items, or is an error', () => {
    const bytes = Buffer.from(JSON.stringify({ noise: 'x'.repeat(200), items: [] }))
    expect(() => split(3, bytes, [], { restLimit: 100 })).toThrow(RangeError)
  })
})

it('bytes of any kind never do more than raise an error of JSON or of size', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...'{}[]",:\\a1 \n')).map((all) => Buffer.from(all.join(''))),
      fc.constantFrom(1 as const, 3 as const),
      (bytes, depth) => {
        try {
          split(depth, bytes).splitter.end()
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError)
        }
      },
    ),
    { numRuns: 2000 },
  )
})
