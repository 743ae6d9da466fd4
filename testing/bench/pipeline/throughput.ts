import { compileRules } from '#engine'
import { encodeBatch, type SyscallEvent, syscallSource } from '#events'
import { edgeRules } from '../../../collector/agent/node-rules.ts'
import { compress, ZSTD } from '../../../collector/agent/zstd.ts'
import { judge } from '../../../lambdas/evaluate/judge.ts'
import { prepareSet } from '../../../lambdas/evaluate/prepare-set.ts'
import { readRecord } from '../../../lambdas/evaluate/read-record.ts'
import { artefactFrom, published, recordOf } from '../../pipeline/records.ts'
import { median, spread, type Table } from '../figures.ts'
import { recordWorkload } from '../record-workload.ts'
import { library, officialSets, type RuleSet } from '../rule-sets.ts'

const rounds = 5
const roundNs = 400e6
const sizes = [20, 500, 2000]

/** Candidates as nodes ship them, from compressed record to verdict: what one core does. */
export async function throughput(): Promise<Table[]> {
  const events = await recordWorkload()
  const rows = [library, ...officialSets()].flatMap((set) => measureSet(set, events))
  return [
    {
      title: 'Evaluate stage, one core',
      note:
        'Base64, zstd, decoding, all rules, correlations and detections, of events that a node would ' +
        'ship under the same rules; and of them all, as if nothing were filtered. CPU time.',
      columns: ['rules', 'events', 'a batch', 'thousand events/s', 'bytes an event', 'detections'],
      rows,
    },
  ]
}

function measureSet({ name, paths }: RuleSet, events: readonly SyscallEvent[]): string[][] {
  const artefact = artefactFrom(...paths)
  const set = prepareSet(artefact, published(artefact).hash)
  const edge = compileRules(edgeRules(artefact.rules), syscallSource, { matching: 'all' })
  const candidates = events.filter((event) => edge.evaluate(event).length > 0)
  return [['shipped', candidates] as const, ['all', events] as const].flatMap(([kind, some]) =>
    some.length === 0
      ? []
      : sizes.map((size) => [name, `${kind}, ${some.length}`, `${size}`, ...measure(some, size)]),
  )

  function measure(some: readonly SyscallEvent[], size: number): string[] {
    const total = Math.max(some.length, size)
    const batches: Uint8Array[] = []
    for (let at = 0; at < total; at += size) {
      const part = Array.from({ length: size }, (_, i) => some[(at + i) % some.length]!)
      batches.push(encodeBatch(infoOf(batches.length), part, compress))
    }
    const records = batches.map((batch) => recordOf(batch))
    const bytes = batches.reduce((sum, { length }) => sum + length, 0) / (batches.length * size)
    const rates: number[] = []
    let detections = 0
    for (let round = -1; round < rounds; round++) {
      const start = process.cpuUsage()
      let count = 0
      let spent = 0
      do {
        detections = 0
        for (const record of records) {
          const read = readRecord(record)
          if (!('batch' in read)) throw new Error(read.reason)
          const verdict = judge(read, {
            ...{ header: read.batch.header, set, sender: 'verified', evidence: { complete: true } },
            ...{ streamTime: '', evaluateTime: '' },
          })
          detections += verdict.grouped.length + verdict.parts.length
        }
        count += records.length * size
        const { user, system } = process.cpuUsage(start)
        spent = (user + system) * 1000
      } while (spent < roundNs)
      if (round >= 0) rates.push(count / (spent / 1e6))
    }
    const share = detections / (records.length * size)
    return [
      spread(rates, 0),
      bytes.toFixed(1),
      `${(share * 100).toFixed(2)} %, ${(1e3 / median(rates)).toFixed(1)} µs an event`,
    ]
  }
}

function infoOf(sequence: number) {
  return {
    ...{ cluster: 'bench', node: 'n', boot: 'b', run: 1n, sequence, previous: undefined },
    ...{ sealedAt: 1_800_000_000_000_000_000n, rulesetHash: '', keyId: '', compression: ZSTD },
    counters: { seen: 0, filtered: 0, folded: 0, lost: {} },
  }
}
