import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { alertJson } from '#engine'
import { decodeBatch, encodeBatch } from '#events'
import { libraryPath } from '../../cli/library-path.ts'
import { main } from '../../cli/main.ts'
import { compress, decompress, ZSTD } from '../../collector/agent/zstd.ts'
import { Evaluate, type EvaluateOptions } from '../../lambdas/evaluate/evaluate.ts'
import { prepareSet } from '../../lambdas/evaluate/prepare-set.ts'
import type { BusMessage } from '../../lambdas/shared/bus.ts'
import type { IncidentMessage } from '../../lambdas/shared/bus-messages.ts'
import type { Detection, SenderState } from '../../lambdas/shared/detection.ts'
import {
  addExpectation,
  type Expectation,
  nothingObserved,
  readObservation,
  trafficEvents,
} from '../../lambdas/shared/expectations.ts'
import { stretchesOf } from '../../lambdas/shared/heard.ts'
import type { SensorFinding } from '../../lambdas/shared/sensor-finding.ts'
import { makeContainer, makeEvent, makeProcess, makeSocket } from '../events.ts'
import { FailingStore } from '../failing-store.ts'
import { artefactFrom, libraryArtefact, published, recordedBatches, recordOf } from './records.ts'

const artefact = libraryArtefact()
const set = prepareSet(artefact, published(artefact).hash)
const noNodes: EvaluateOptions['nodes'] = {
  take: async () => ({ findings: [], health: [], gapsOf: () => [] }),
}
const trusting = {
  judge: async (records: readonly unknown[]) =>
    records.map(() => ({ sender: 'verified' as const, findings: [] })),
}

let lake: Detection[] = []
let bus: BusMessage[] = []
let isolated: string[] = []
beforeEach(() => {
  lake = []
  bus = []
  isolated = []
})

function open(options: Partial<EvaluateOptions> = {}): Evaluate {
  return new Evaluate({
    store: new FailingStore(),
    sets: { of: async () => set },
    ...{ senders: trusting, nodes: noNodes, quiet: 900, region: 'eu-west-1' },
    bus: { put: async (messages) => void bus.push(...messages) },
    toLake: async (detections) => void lake.push(...detections),
    isolate: async ({ reason }) => void isolated.push(reason),
    ...{ now: () => 1_800_000_001_000, random: () => 0.5, pause: async () => {} },
    ...options,
  })
}

const incidents = () =>
  bus
    .filter(({ type }) => type.startsWith('Incident'))
    .map(({ detail }) => detail as IncidentMessage)

/** What `lanner replay` finds in the same batches. */
async function replayed(): Promise<Record<string, unknown>[]> {
  let out = ''
  const trace = fileURLToPath(new URL('../../cli/recorded/attack.trace', import.meta.url))
  const args = ['replay', trace, '--rules', libraryPath, '--rule-matching', 'all', '--json']
  const write = (text: string) => {
    out += text
  }
  const io = { out: write, err: () => {}, color: false }
  expect(await main(args, io)).toBe(0)
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

describe('judging the recorded attack', () => {
  const records = recordedBatches().map((batch) => recordOf(batch))

  it('finds what the command line finds, under the same ids and in the same words', async () => {
    await open().run({ Records: records })
    const plain = (alert: Record<string, unknown>) => {
      const { lanner, output, ...rest } = alert as never as Detection
      const text = output.slice(output.indexOf(' '))
      return JSON.stringify([lanner.id, lanner.lineage, text, JSON.parse(alertJson(rest))])
    }
    const own = lake.filter(({ lanner }) => lanner.kind === 'rule')
    expect(own.map((one) => plain(JSON.parse(alertJson(one)))).sort()).toEqual(
      (await replayed()).map(plain).sort(),
    )
    expect(own.length).toBeGreaterThan(10)
  })

  it('tells of incidents, and says what is behind each of them', async () => {
    const { figures, batchItemFailures } = await open().run({ Records: records })
    expect(batchItemFailures).toEqual([])
    expect(figures.incidents).toBeGreaterThan(0)
    expect(figures.incidents).toBeLessThanOrEqual(lake.length)
    const opened = incidents().filter(({ reason }) => reason === 'opened')
    expect(opened).toHaveLength(figures.incidents)
    for (const { incident } of opened) {
      const members = lake.filter(({ lanner }) => lanner.incident === incident.id)
      expect(incident.count).toBe(members.length)
      expect(incident.ruleset).toBe(set.hash)
      expect(incident.sender).toBe('verified')
    }
    expect(opened.some(({ incident }) => incident.runbooks.length > 0)).toBe(true)
    const alone = bus.filter(({ type }) => type === 'Detection')
    expect(new Set(alone.map(({ detail }) => detail.id)).size).toBe(
      lake.filter((d) => d.lanner.incident).length,
    )
  })

  it('says that the node filtered by other rules, and when things were where', async () => {
    await open().run({ Records: records })
    const [first] = lake
    expect(first!.lanner.ruleset).toBe(set.hash)
    expect(first!.lanner.filteredBy).toBeDefined()
    const { event, batch, stream, evaluate } = first!.lanner.times
    expect(batch! > event).toBe(true)
    expect([stream, evaluate]).toEqual(['2027-01-15T08:00:00.000Z', '2027-01-15T08:00:01.000Z'])
  })

  it('in whatever pieces and however often, shows a person the same', async () => {
    await open().run({ Records: records })
    const seen = () => ({
      ids: [...new Set(lake.map(({ lanner }) => lanner.id))].sort(),
      opened: [...new Set(incidents().map(({ id, reason }) => `${id} ${reason}`))]
        .filter((text) => text.endsWith('opened'))
        .sort(),
    })
    const expected = seen()
    bus = []
    lake = []
    const pieces = open()
    for (let at = 0; at < records.length; at++) {
      // each record comes with the one before it, and all of that twice
      const Records = records.slice(Math.max(0, at - 1), at + 1)
      for (let time = 0; time < 2; time++) await pieces.run({ Records })
    }
    expect(seen()).toEqual(expected)
  })
})

describe('records that are no batches', () => {
  const [good, bad] = [recordOf(recordedBatches()[0]!), recordOf(Buffer.from('LNRBrubbish'))]

  it('are set aside with their reason, and hold nothing up', async () => {
    const { batchItemFailures, figures } = await open().run({ Records: [bad, good] })
    expect(batchItemFailures).toEqual([])
    expect(figures).toMatchObject({ poison: 1, batches: 1 })
    expect(isolated).toHaveLength(1)
  })

  it('that cannot be set aside come again, and all after them, but none before', async () => {
    const isolate = async () => {
      throw new Error('no bucket')
    }
    const { batchItemFailures, figures } = await open({ isolate }).run({
      Records: [good, bad, recordOf(recordedBatches()[1]!)],
    })
    expect(batchItemFailures).toEqual([{ itemIdentifier: bad.kinesis.sequenceNumber }])
    expect(figures.batches).toBe(1)
  })
})

describe('a batch from somebody else than it says', () => {
  it('accuses nobody: what is told is about its sender', async () => {
    const finding: SensorFinding = {
      ...{ rule: 'Batch not signed by its run', priority: 'Critical', cluster: '', node: '' },
      ...{ sender: 'mismatched', time: '2026-11-26T10:00:00.000Z', text: 'not signed' },
      ...{ fields: {}, tags: [], key: ['x'] },
    }
    const judge = async (records: readonly unknown[]) =>
      records.map((_, at) => ({
        ...{ sender: 'mismatched' as const, findings: at === 0 ? [finding] : [] },
      }))
    const Records = recordedBatches().map((batch) => recordOf(batch))
    await open({ senders: { judge } }).run({ Records })
    expect(lake.map(({ rule }) => rule)).toEqual(['Batch not signed by its run'])
    expect(incidents().map(({ incident }) => incident.node)).toEqual([''])
  })
})

describe('what is put together of several records', () => {
  const record = (node: string, execs: number) => {
    const { header } = decodeBatch(recordedBatches()[0]!, decompress)
    const process = makeProcess({ container: makeContainer() })
    const events = Array.from({ length: execs }, (_, seq) =>
      makeEvent('execve', { ...{ seq, process }, time: 1_800_000_000_000_000_000n + BigInt(seq) }),
    )
    return recordOf(encodeBatch({ ...header, node, compression: ZSTD }, events, compress))
  }
  const counting = prepareSet(
    artefactFrom(fileURLToPath(new URL('counting', import.meta.url))),
    'x',
  )
  const sendersOf = (...states: SenderState[]) => ({
    judge: async () => states.map((sender) => ({ sender, findings: [] })),
  })
  const found = () =>
    lake
      .filter(({ lanner }) => lanner.kind === 'correlation')
      .map(({ lanner: { node, sender } }) => [node, sender])

  it('is as sure as those who told of it, and no less because of others who came with it', async () => {
    const Records = [record('a', 3), record('b', 3), record('c', 3)]
    const senders = sendersOf('verified', 'unverified', 'mismatched')
    await open({ senders, sets: { of: async () => counting } }).run({ Records })
    expect(found().sort()).toEqual([
      ['a', 'verified'],
      ['b', 'unverified'],
    ])
  })

  it('is no surer than what came of it before', async () => {
    const store = new FailingStore()
    const sets = { of: async () => counting }
    const [first, second] = [record('a', 2), record('a', 3)]
    await open({ store, sets, senders: sendersOf('unverified') }).run({ Records: [first] })
    expect(found()).toEqual([])
    await open({ store, sets, senders: sendersOf('verified') }).run({ Records: [second] })
    expect(found()).toEqual([['a', 'unverified']])
  })
})

describe('evidence', () => {
  it('that may be missing is said on the detection and on its incident', async () => {
    const nodes: EvaluateOptions['nodes'] = {
      take: async () => ({ findings: [], health: [], gapsOf: () => ['2 batches are missing'] }),
    }
    await open({ nodes }).run({ Records: recordedBatches().map((batch) => recordOf(batch)) })
    const evidence = { complete: false, gaps: ['2 batches are missing'] }
    expect(lake[0]!.lanner.evidence).toEqual(evidence)
    expect(incidents()[0]!.incident.evidence).toEqual(evidence)
  })
})

describe('a pod that a response has cut off', () => {
  const container = makeContainer({ podUid: 'uid-1' })
  const process = makeProcess({ container })
  const at = 1_800_000_000_000
  const expectation: Expectation = {
    ...{ id: 'r1', cluster: 'prod', node: 'n1', podUid: 'uid-1', containers: [container.id] },
    ...{ from: at, until: at + 60_000, forbidden: [...trafficEvents] },
  }
  const batch = encodeBatch(
    {
      ...{ cluster: 'prod', node: 'n1', boot: 'b', run: 1n, sequence: 0, previous: undefined },
      ...{
        sealedAt: BigInt(at + 3000) * 1_000_000n,
        rulesetHash: '',
        keyId: '',
        compression: ZSTD,
      },
      counters: { seen: 1, filtered: 0, folded: 0, lost: {} },
    },
    [makeEvent('connect', { process, time: BigInt(at + 1000) * 1_000_000n, fd: makeSocket() })],
    compress,
    [{ kind: 'pod-watched', text: `uid-1 ${at + 500}`, time: BigInt(at + 3000) * 1_000_000n }],
  )

  it('is watched by what its own node says, and by nobody else', async () => {
    const store = new FailingStore()
    const now = () => at + 5000
    await addExpectation(store, expectation, at / 1000)
    const judge = async () => [{ sender: 'unverified' as const, findings: [] }]
    await open({ store, now, senders: { judge } }).run({ Records: [recordOf(batch)] })
    expect(await readObservation(store, 'r1', at / 1000)).toEqual(nothingObserved)
    for (let time = 0; time < 2; time++) {
      await open({ store, now }).run({ Records: [recordOf(batch)] })
    }
    const { heard, watched, traffic } = await readObservation(store, 'r1', at / 1000)
    expect(stretchesOf(heard)).toEqual([[at + 1000, at + 3000]])
    expect(watched).toEqual([[at + 500, at + 3000]])
    expect(traffic).toMatchObject([{ event: 'connect', remote: '10.0.0.2:443' }])
  })
})
