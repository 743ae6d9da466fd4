import { beforeEach, describe, expect, it } from 'vitest'
import type { StateStore } from '#correlate'
import { MemoryStore } from '#testing/memory-store.ts'
import { findingId, type SensorFinding } from '../sensor-finding.ts'
import { noteDeparture } from './departures.ts'
import { Nodes } from './nodes.ts'
import type { NodeBatch } from './tally.ts'
import { batchOf, notice, sha256, start, sweep } from './testing/samples.ts'

/** Seconds between heartbeats, and of a canary's jitter. */
const heartbeat = 30

interface Sensor {
  readonly cluster: string
  readonly node: string
  readonly instance: string
  sequence: number
  /** Second at which it ends, and how. */
  ends?: { readonly at: number; readonly how: 'killed' | 'goodbye' | 'terminated' }
}

/** A fleet, its stream, three functions that take turns, and a sweep each minute; time is ours. */
class Fleet {
  readonly store: StateStore = new MemoryStore(1_000_000)
  readonly sensors: Sensor[] = []
  readonly told: { readonly second: number; readonly finding: SensorFinding }[] = []
  /** Seconds for which the functions take nothing. */
  stalled: { readonly from: number; readonly to: number } = { from: 0, to: 0 }
  #waiting: NodeBatch[] = []
  #calls = 0
  #now = start
  readonly #functions = Array.from(
    { length: 3 },
    () => new Nodes({ store: this.store, now: () => this.#now * 1000, sha256 }),
  )

  add(count: number, cluster = 'prod', hasInstance = true): Sensor[] {
    const added = Array.from({ length: count }, (_, at) => ({
      ...{ cluster, node: `${cluster}-${at}`, sequence: 0 },
      instance: hasInstance ? `i-${cluster}${at}` : '',
    }))
    this.sensors.push(...added)
    return added
  }

  async run(seconds: number): Promise<void> {
    for (const end = this.#now + seconds; this.#now < end; this.#now += 1) {
      for (const [at, sensor] of this.sensors.entries()) await this.#beat(sensor, at)
      const { from, to } = this.stalled
      if (this.#waiting.length > 0 && !(this.#now >= from && this.#now < to)) {
        this.#calls += 1
        await this.#functions[this.#calls % 3]!.take(this.#waiting)
        this.#waiting = []
      }
      if (this.#now % 60 === 0) {
        for (const finding of await sweep(this.store, this.#now)) {
          this.told.push({ second: this.#now, finding })
        }
      }
    }
  }

  async #beat(sensor: Sensor, at: number): Promise<void> {
    const { ends, cluster, node, instance } = sensor
    const isEnd = ends?.at === this.#now
    if (ends !== undefined && this.#now > ends.at) return
    if (isEnd && ends.how === 'terminated') {
      const departure = { instance, reason: 'shutting-down', time: '' }
      await noteDeparture(this.store, departure, this.#now)
    }
    if (isEnd && ends.how !== 'goodbye') return
    const isCanary = this.#now % 300 === (at * 7) % 60
    if (!isEnd && this.#now % heartbeat !== at % heartbeat && !isCanary) return
    const sealedAt = this.#now * 1000
    const header = { cluster, node, sequence: sensor.sequence, sealedAt }
    const notices = isEnd
      ? [notice('stopped', sealedAt)]
      : isCanary
        ? [notice('canary', sealedAt)]
        : []
    this.#waiting.push(batchOf(header, { notices, announcement: { instance } }))
    sensor.sequence += 1
  }

  get rules(): string[] {
    return this.told.map(({ finding: { rule, node } }) => `${rule} | ${node}`)
  }
}

let fleet: Fleet
beforeEach(() => {
  fleet = new Fleet()
})

describe('a fleet', () => {
  it('of which 500 nodes are removed and one sensor is killed gives one alert, in time', async () => {
    const nodes = fleet.add(502)
    for (const [at, node] of nodes.slice(0, 500).entries()) {
      node.ends = { at: start + 400 + (at % 90), how: at % 2 === 0 ? 'terminated' : 'goodbye' }
    }
    const killed = start + 423
    nodes[500]!.ends = { at: killed, how: 'killed' }
    await fleet.run(1800)
    expect(fleet.rules).toEqual(['Sensor is silent | prod-500'])
    const { second, finding } = fleet.told[0]!
    const deadline = Date.parse(finding.time) / 1000
    expect(deadline - killed).toBeLessThanOrEqual(180)
    expect(second - deadline).toBeLessThanOrEqual(90)
  })

  it('hears of a termination up to three minutes late', async () => {
    const [node] = fleet.add(2)
    node!.ends = { at: start + 300, how: 'killed' }
    await fleet.run(300 + 150)
    await noteDeparture(
      fleet.store,
      { instance: node!.instance, reason: '', time: '' },
      start + 450,
    )
    await fleet.run(900)
    expect(fleet.rules).toEqual([])
  })

  it('that is small gives one alert for one killed sensor, too', async () => {
    const [only] = fleet.add(1)
    only!.ends = { at: start + 333, how: 'killed' }
    await fleet.run(2400)
    expect(fleet.rules).toEqual(['Sensor is silent | prod-0'])
  })

  it('knows the machine of a node that is named after it', async () => {
    const [node, other] = fleet.add(2, 'prod', false)
    expect(other).toBeDefined()
    const name = 'i-0123456789abcdef0'
    Object.assign(node!, { node: `${name}.eu-west-1.compute.internal` })
    node!.ends = { at: start + 300, how: 'killed' }
    await noteDeparture(fleet.store, { instance: name, reason: '', time: '' }, start + 300)
    await fleet.run(900)
    expect(fleet.rules).toEqual([])
  })

  it.each([372, 381, 390, 401, 417])(
    'of which nothing arrives from second %i on gives one alert, not one a node',
    async (second) => {
      for (const node of fleet.add(60)) node.ends = { at: start + second, how: 'killed' }
      fleet.add(1, 'dev')
      await fleet.run(1500)
      const ids = fleet.told.map(({ finding }) => findingId(finding, sha256))
      expect(new Set(ids).size).toBe(1)
      expect(fleet.told[0]!.finding).toMatchObject({
        ...{ rule: 'Nothing arrives from a cluster', cluster: 'prod', node: '' },
      })
    },
  )

  it('is not silent when the functions rest for two minutes, nor missing anything after', async () => {
    fleet.add(40)
    fleet.stalled = { from: start + 300, to: start + 420 }
    await fleet.run(900)
    expect(fleet.rules).toEqual([])
  })

  it('that is shut down in order is not missed', async () => {
    for (const node of fleet.add(5)) node.ends = { at: start + 350, how: 'goodbye' }
    await fleet.run(1800)
    expect(fleet.rules).toEqual([])
  })
})
