import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { StateUnavailable } from '#correlate'
import { FailingStore, type WriteFailure } from '#testing/failing-store.ts'
import type { IncidentMessage } from '../bus-messages.ts'
import type { Detection } from '../detection.ts'
import { decodeState } from './incident-state.ts'
import { type Grouped, Incidents, keyOfIncident } from './incidents.ts'
import { makeDetection, sha256, someGroup } from './testing/detections.ts'

const quiet = 900
let now = 1_000_000

function incidentsOver(store: FailingStore): Incidents {
  return new Incidents({
    ...{ store, sha256, quiet, now: () => now, random: () => 0.5 },
    pause: async () => {},
    lakeOf: (time) => `lake ${time.slice(0, 13)}`,
  })
}

/** A batch of detections in the one group. */
function batch(sequence: number, count: number, facts: Parameters<typeof makeDetection>[0] = {}) {
  return Array.from({ length: count }, (_, at): Grouped => {
    const id = `${sequence}-${at}`
    const detection = makeDetection({ ...facts, lanner: { id, ...facts.lanner } })
    return { group: someGroup, unit: { run: 'node-1/7', sequence }, detection }
  })
}

async function stateOf(store: FailingStore, incident: string) {
  const key = keyOfIncident(incident)
  return decodeState((await store.read([key], now)).get(key)?.value)!
}

beforeEach(() => {
  now = 1_000_000
})

describe('an incident', () => {
  it('opens with its first detection and says so at once', async () => {
    const store = new FailingStore()
    const { messages, onBus, detections, writes } = await incidentsOver(store).take(
      batch(1, 1, { rule: 'Shell', priority: 'Notice', lanner: { runbook: 'shell' } }),
    )
    expect(writes).toBe(1)
    expect(messages).toHaveLength(1)
    const [{ incident, reason, id, detection }] = messages as [IncidentMessage]
    expect(reason).toBe('opened')
    expect(id).toBe(`${incident.id}/1`)
    expect(detection!.lanner.incident).toBe(incident.id)
    expect(incident).toMatchObject({
      ...{ revision: 1, state: 'open', title: 'Shell', priority: 'Notice', count: 1 },
      ...{ rules: { Shell: 1 }, runbooks: ['shell'], lake: 'lake 1970-01-12T13' },
    })
    expect(onBus).toEqual(detections)
  })

  it('is said again when it becomes worse, and then bears the worse name', async () => {
    const incidents = incidentsOver(new FailingStore())
    await incidents.take(batch(1, 1, { rule: 'Shell', priority: 'Notice' }))
    const { messages } = await incidents.take(batch(2, 1, { rule: 'Miner', priority: 'Critical' }))
    expect(messages.map(({ reason }) => reason)).toEqual(['escalated'])
    expect(messages[0]!.incident).toMatchObject({ title: 'Miner', priority: 'Critical', count: 2 })
    expect(messages[0]!.detection!.rule).toBe('Miner')
  })

  it('makes O(log n) messages of n repeats, and one write a batch', async () => {
    const store = new FailingStore()
    const incidents = incidentsOver(store)
    const said: IncidentMessage[] = []
    let onBus = 0
    for (let sequence = 1; sequence <= 500; sequence++) {
      const result = await incidents.take(batch(sequence, 20))
      said.push(...result.messages)
      onBus += result.onBus.length
    }
    expect(said.length).toBeLessThanOrEqual(2 + Math.log2(10_000 / 20))
    expect(new Set(said.map(({ id }) => id)).size).toBe(said.length)
    expect(onBus).toBe(100)
    expect(store.writes).toBe(500)
    const { incident } = await stateOf(store, said[0]!.incident.id)
    expect(incident.count).toBe(10_000)
    expect(incident.members.first).toHaveLength(20)
    expect(incident.members.last.map(({ id }) => id).at(-1)).toBe('500-19')
    expect(store.largest).toBeLessThan(30_000)
  })

  it('counts folded repeats', async () => {
    const { messages } = await incidentsOver(new FailingStore()).take(
      batch(1, 2, { lanner: { count: 50 } }),
    )
    expect(messages[0]!.incident.count).toBe(100)
  })

  it('is as sure of its sender as the least sure detection, and says where evidence is missing', async () => {
    const { messages } = await incidentsOver(new FailingStore()).take([
      ...batch(1, 1),
      ...batch(2, 1, {
        lanner: { sender: 'unverified', evidence: { complete: false, gaps: ['3 batches'] } },
      }),
    ])
    expect(messages[0]!.incident).toMatchObject({
      sender: 'unverified',
      evidence: { complete: false, gaps: ['3 batches'] },
    })
  })

  it('wakes nobody only while all of it is suppressed', async () => {
    const suppressed = { id: 's', owner: 'o', reason: 'r', until: '2026-12-01T00:00:00Z' }
    const incidents = incidentsOver(new FailingStore())
    const first = await incidents.take(batch(1, 1, { lanner: { suppressed } }))
    expect(first.messages[0]!.incident.suppressed?.owner).toBe('o')
    const second = await incidents.take(batch(2, 1))
    expect(second.messages[0]!.incident.suppressed).toBeUndefined()
  })
})

/** What a person would see of messages that may come several times. */
function visible(messages: readonly IncidentMessage[]): string[] {
  return [...new Set(messages.map(({ id, reason }) => `${id} ${reason}`))]
}

describe('whatever is delivered again', () => {
  const failures = fc.constantFrom<WriteFailure | undefined>(
    ...(['refused', 'unanswered', 'overtaken', undefined, undefined] as const),
  )

  it('is counted once and said once, through failures of the store', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 12 }),
        fc.array(failures, { maxLength: 20 }),
        fc.array(fc.integer({ min: 0, max: 11 }), { maxLength: 12 }),
        async (sizes, failing, again) => {
          const priorities = ['Notice', 'Warning', 'Critical']
          const batches = sizes.map((size, at) =>
            batch(at + 1, size, { priority: priorities[(size * 7 + at) % 3]! }),
          )
          const run = async (store: FailingStore, order: readonly number[]) => {
            const said: IncidentMessage[] = []
            const onBus: Detection[] = []
            const incidents = incidentsOver(store)
            for (const at of order) {
              for (let attempt = 0; ; attempt++) {
                try {
                  const result = await incidents.take(batches[at]!)
                  said.push(...result.messages)
                  onBus.push(...result.onBus)
                  break
                } catch (error) {
                  if (!(error instanceof StateUnavailable) || attempt > 30) throw error
                }
              }
            }
            const { incident } = await stateOf(store, said[0]!.incident.id)
            return { incident, said: visible(said), ids: new Set(onBus.map((d) => d.lanner.id)) }
          }
          const order = batches.map((_, at) => at)
          const repeated = order.flatMap((at) => [
            at,
            ...again.filter((each) => each === at),
            ...again.filter((each) => each < at && (each + at) % 3 === 0),
          ])
          const plain = await run(new FailingStore(), order)
          const faulty = await run(new FailingStore(failing), repeated)
          expect(faulty.incident).toEqual(plain.incident)
          expect(faulty.said).toEqual(plain.said)
          expect(faulty.ids).toEqual(plain.ids)
        },
      ),
    )
  })

  it('even together with the first time, is counted once', async () => {
    const store = new FailingStore()
    const { messages, detections } = await incidentsOver(store).take([
      ...batch(1, 3),
      ...batch(1, 3),
    ])
    expect(messages[0]!.incident.count).toBe(3)
    expect(detections).toHaveLength(3)
  })

  it('says again what its caller may not have come to say', async () => {
    const store = new FailingStore(['unanswered'])
    const incidents = incidentsOver(store)
    await expect(incidents.take(batch(1, 3))).rejects.toThrow(StateUnavailable)
    const { messages, onBus, writes } = await incidents.take(batch(1, 3))
    expect(messages.map(({ reason }) => reason)).toEqual(['opened'])
    expect(onBus).toHaveLength(3)
    expect(writes).toBe(0)
  })

  it('is known long after by the sequence of its batch', async () => {
    const store = new FailingStore()
    const incidents = incidentsOver(store)
    const [opened] = (await incidents.take(batch(1, 1))).messages
    for (let sequence = 2; sequence <= 200; sequence++) await incidents.take(batch(sequence, 1))
    for (const sequence of [1, 3, 140]) await incidents.take(batch(sequence, 1))
    expect((await stateOf(store, opened!.incident.id)).incident.count).toBe(200)
  })
})

describe('the end of an incident', () => {
  it('comes after quiet, is said once, and what comes then is another incident', async () => {
    const store = new FailingStore()
    const incidents = incidentsOver(store)
    const [opened] = (await incidents.take(batch(1, 1))).messages
    const key = keyOfIncident(opened!.incident.id)
    const said: IncidentMessage[] = []
    const say = async (messages: readonly IncidentMessage[]) => void said.push(...messages)
    now += quiet - 1
    expect(await incidents.close([key], say)).toBe(0)
    now += 1
    expect(await store.due(now, 10)).toEqual([key])
    expect(await incidents.close([key], say)).toBe(1)
    expect(said.map(({ id, reason }) => [id, reason])).toEqual([
      [`${opened!.incident.id}/2`, 'quiet'],
    ])
    expect(said[0]!.incident.state).toBe('closed')
    expect(await store.due(now + 10_000, 10)).toEqual([])
    expect(await incidents.close([key], say)).toBe(0)
    const { messages } = await incidents.take(batch(2, 1))
    expect(messages[0]!.incident.id).not.toBe(opened!.incident.id)
    expect(messages[0]).toMatchObject({ reason: 'opened', incident: { count: 1 } })
    // and a late replay of the old story opens nothing
    expect((await incidents.take(batch(1, 1))).messages).toEqual([])
  })

  it('is put off by what happens meanwhile', async () => {
    const store = new FailingStore()
    const incidents = incidentsOver(store)
    const [opened] = (await incidents.take(batch(1, 1))).messages
    const key = keyOfIncident(opened!.incident.id)
    now += 600
    await incidents.take(batch(2, 1))
    now += 300
    expect(await incidents.close([key], async () => {})).toBe(0)
    expect(await store.due(now + 599, 10)).toEqual([])
    expect(await store.due(now + 600, 10)).toEqual([key])
  })

  it('that could not be said is said by the next sweep, under the same id', async () => {
    const store = new FailingStore()
    const incidents = incidentsOver(store)
    const [opened] = (await incidents.take(batch(1, 1))).messages
    const key = keyOfIncident(opened!.incident.id)
    now += quiet
    const tried: string[] = []
    const fail = async (messages: readonly IncidentMessage[]) => {
      tried.push(...messages.map(({ id }) => id))
      throw new Error('the bus is away')
    }
    await expect(incidents.close([key], fail)).rejects.toThrow('away')
    now += 60
    expect(await store.due(now, 10)).toEqual([key])
    await incidents.close(
      [key],
      async (messages) => void tried.push(...messages.map(({ id }) => id)),
    )
    expect(tried).toEqual([`${opened!.incident.id}/2`, `${opened!.incident.id}/2`])
  })

  it('is said even when a detection comes while it is being said', async () => {
    const store = new FailingStore()
    const incidents = incidentsOver(store)
    const [opened] = (await incidents.take(batch(1, 1))).messages
    const key = keyOfIncident(opened!.incident.id)
    now += quiet
    let during: readonly IncidentMessage[] = []
    await incidents.close([key], async () => {
      during = (await incidents.take(batch(2, 1))).messages
    })
    expect(during.map(({ reason }) => reason)).toEqual(['quiet', 'opened'])
    expect(during[0]!.id).toBe(`${opened!.incident.id}/2`)
    expect((await stateOf(store, opened!.incident.id)).incident.state).toBe('open')
  })
})
