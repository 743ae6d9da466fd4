import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fitDetail } from './fit-detail.ts'

describe('a detail', () => {
  it('that fits stays as it is', () => {
    expect(fitDetail({ id: 'a', n: 3n }, 100, 's3://x')).toEqual({
      text: '{"id":"a","n":3}',
      cut: [],
    })
  })

  it('loses the ends of its longest texts, and names them', () => {
    const detail = { id: 'a', detection: { output: 'x'.repeat(5000), rule: 'short' } }
    const { text, cut } = fitDetail(detail, 1000, 's3://bucket/key')
    const read = JSON.parse(text)
    expect(cut).toEqual(['detection.output'])
    expect(read.cut).toEqual(cut)
    expect(read.full).toBe('s3://bucket/key')
    expect(read.detection.rule).toBe('short')
    expect(read.detection.output).toMatch(/^x+… \(cut\)$/)
    expect(text.length).toBeGreaterThan(500)
  })

  it('always fits then, is JSON, and is untouched itself, whatever stands in it', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ maxLength: 8 }),
          fc.oneof(
            fc.string({ unit: 'binary', maxLength: 3000 }),
            fc.array(fc.string({ maxLength: 400 }), { maxLength: 5 }),
          ),
          { maxKeys: 4 },
        ),
        (fields) => {
          const detail = { id: 'i', fields }
          const before = structuredClone(detail)
          const { text } = fitDetail(detail, 4000, 's3://b/k')
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4000)
          expect(JSON.parse(text).id).toBe('i')
          expect(detail).toEqual(before)
        },
      ),
    )
  })

  it('made of many short texts cannot be cut, which is an error and no endless loop', () => {
    const detail = { many: Array.from({ length: 500 }, (_, at) => `text ${at}`) }
    expect(() => fitDetail(detail, 1000, '')).toThrow(RangeError)
  })
})
