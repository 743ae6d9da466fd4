import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { StateStore } from '#correlate'
import { MemoryStore } from '#testing/memory-store.ts'
import type { BusMessage } from '../shared/bus.ts'
import type { Detection } from '../shared/detection.ts'
import { Nodes } from '../shared/nodes/index.ts'
import { batchOf, notice, start } from '../shared/nodes/testing/samples.ts'
import { type Sweeper, sweep } from './sweep.ts'
import { sweepers } from './sweepers.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
let now = start
let store: StateStore
let said: BusMessage[] = []
let lake: Detection[] = []
let busFails = false

beforeEach(() => {
  now = start
  store = new MemoryStore()
  said = []
  lake = []
  busFails = false
})

const ours = () =>
  sweepers({
    ...{ store, sha256, quiet: 900, now: () => now * 1000, random: () => 0 },
    pause: async () => {},
    toLake: async (detections) => void lake.push(...detections),
    bus: {
      put: async (messages) => {
        if (busFails) throw new Error('the bus is down')
        said.push(...messages)
      },
    },
  })
const run = (all: readonly Sweeper[] = ours()) =>
  sweep({ store, sweepers: all, now: () => now, hasTime: () => true })
const take = (...batches: Parameters<typeof batchOf>[0][]) =>
  new Nodes({ store, now: () => now * 1000, sha256 }).take(batches.map((one) => batchOf(one)))
const saidIn = (type: string) => said.filter((message) => message.type === type)

describe('a sweep', () => {
  it('tells of a gap as a detection and an incident, once, and ends the incident', async () => {
    await take({ sequence: 0 }, { sequence: 3 })
    expect((await run()).failures).toEqual([])
    now += 60
    await take({ sequence: 4, sealedAt: now * 1000 })
    await run()
    expect(saidIn('Incident Opened')).toHaveLength(1)
    const [detection] = saidIn('Detection')
    expect(detection!.detail).toMatchObject({
      detection: {
        rule: 'Batches of a sensor are missing',
        output_fields: { 'batch.first': 1, 'batch.last': 2 },
        lanner: { kind: 'sensor', cluster: 'prod', node: 'a', sender: 'verified' },
      },
    })
    expect(lake).toHaveLength(1)
    now += 60
    await take({ sequence: 5, sealedAt: now * 1000 })
    await run()
    expect(saidIn('Detection')).toHaveLength(1)
    now += 900
    await take({ sequence: 6, sealedAt: now * 1000 })
    await run()
    expect(saidIn('Incident Closed')).toHaveLength(1)
  })

  it('that could not tell tells the next time, under the same id', async () => {
    await take({ sequence: 0 })
    await run()
    now += 200
    busFails = true
    expect((await run()).failures).toHaveLength(1)
    busFails = false
    now += 60
    await run()
    now += 60
    await run()
    const silent = saidIn('Detection')
    expect(silent).toHaveLength(1)
    expect(new Set(lake.map(({ lanner }) => lanner.id)).size).toBe(1)
    expect(saidIn('Sensor Health')).toHaveLength(1)
  })

  it('says that a node is back, and that a cluster’s canary stays away', async () => {
    const nodes = new Nodes({ store, now: () => now * 1000, sha256 })
    const canary = batchOf({ sequence: 0 }, { notices: [notice('canary', start * 1000)] })
    const { health } = await nodes.take([canary])
    expect(health).toMatchObject([{ state: 'canary', hops: { batch: 0, stream: 0, evaluate: 0 } }])
    expect((await nodes.take([canary])).health).toEqual(health)
    await run()
    now += 200
    await run()
    await take({ sequence: 1, sealedAt: now * 1000 })
    await run()
    now += 300
    await run()
    const states = saidIn('Sensor Health').map(({ detail }) => (detail as { state?: string }).state)
    expect(states).toEqual(['silent', 'back', 'silent', 'dead-path'])
  })

  it('does the rest when one sweeper fails, and names what nobody knows', async () => {
    const write = (key: string) => ({ key, value: 1, from: 0, expires: now + 99, due: now })
    await store.write([write('a/1'), write('b/1'), write('c/1')])
    const seen: string[] = []
    const figures = await run([
      {
        kinds: ['a'],
        sweep: async () => {
          throw new Error('no')
        },
      },
      { kinds: ['b'], sweep: async (keys) => void seen.push(...keys) },
    ])
    expect(seen).toEqual(['b/1'])
    expect(figures).toMatchObject({ swept: { b: 1 }, unknown: ['c/1'], isCut: false })
    expect(figures.failures).toHaveLength(1)
  })

  it('goes on in rounds as long as there is time', async () => {
    const keys = Array.from({ length: 25 }, (_, at) => `a/${at}`)
    await store.write(keys.map((key) => ({ key, value: 1, from: 0, expires: now + 99, due: now })))
    const rounds: number[] = []
    const all: Sweeper[] = [{ kinds: ['a'], sweep: async (own) => void rounds.push(own.length) }]
    const options = { store, sweepers: all, now: () => now, limit: 10 }
    expect((await sweep({ ...options, hasTime: () => true })).swept).toEqual({ a: 25 })
    expect(rounds).toEqual([10, 10, 5])
    expect((await sweep({ ...options, hasTime: () => false })).isCut).toBe(true)
  })
})
