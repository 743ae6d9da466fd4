import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Metric, metricsText } from '../collector/health.ts'
import { Metrics } from './metrics-text.ts'
import { selectivity } from './selectivity.ts'

const arbitraryMetric: fc.Arbitrary<Metric> = fc.record({
  name: fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/),
  help: fc.constant('what it is'),
  type: fc.constantFrom('counter' as const, 'gauge' as const),
  values: fc.uniqueArray(
    fc.record({
      // text has no minus zero
      value: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      labels: fc.record({
        place: fc.string({
          unit: fc.oneof(
            fc.constantFrom(...'\\"\n\r\u2028{}, ='),
            fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
          ),
          maxLength: 8,
        }),
      }),
    }),
    { selector: ({ labels }) => labels.place, minLength: 1, maxLength: 4 },
  ),
})

describe('the figures of an agent', () => {
  it('are read as the agent writes them, whatever a label says', () => {
    fc.assert(
      fc.property(fc.uniqueArray(arbitraryMetric, { selector: ({ name }) => name }), (metrics) => {
        const read = Metrics.parse(metricsText(metrics))
        for (const { name, values } of metrics) {
          const pairs = values.map(({ labels, value }) => [labels!['place'], value])
          expect(read.by(name, 'place')).toEqual(Object.fromEntries(pairs))
        }
      }),
    )
  })

  it('say nothing in a text of another format', () => {
    const read = Metrics.parse('<html>\nlanner_rules\nlanner_rules x\n lanner_rules 3\n')
    expect(read.has('lanner_rules')).toBe(false)
    expect(read.total('lanner_rules')).toBe(0)
  })

  it('can be taken since an earlier look', () => {
    const before = Metrics.parse('a{p="x"} 3\n')
    const after = Metrics.parse('a{p="x"} 10\na{p="y"} 4\n')
    expect(after.since(before).by('a', 'p')).toEqual({ x: 7, y: 4 })
  })
})

describe('the selectivity of an agent', () => {
  const text = `lanner_syscalls_rejected_total{reason="scope"} 40
lanner_syscalls_rejected_total{reason="path"} 30
lanner_records_total 25
lanner_records_matched_total 10
lanner_events_lost_total{place="ring-file"} 5
lanner_events_lost_total{place="limit"} 2
lanner_events_lost_total{place="queue"} 1
lanner_events_folded_total 4
lanner_sent_events_total 3
`

  it('follows every event from the kernel to the stream', () => {
    const stages = selectivity(Metrics.parse(text)).map(({ name, events }) => [name, events])
    expect(Object.fromEntries(stages)).toEqual({
      seen: 100,
      'rejected in the kernel: scope': 40,
      'rejected in the kernel: path': 30,
      'lost in the ring': 5,
      'rejected in the agent': 15,
      'some rule could match': 10,
      'folded into another': 4,
      'held back by the limit': 2,
      'lost after the ring': 1,
      shipped: 3,
    })
  })

  it('is in shares of what was seen, and in none of nothing', () => {
    expect(selectivity(Metrics.parse(text))[1]!.share).toBe(0.4)
    expect(selectivity(Metrics.parse('')).every(({ share }) => Number.isNaN(share))).toBe(true)
  })
})
