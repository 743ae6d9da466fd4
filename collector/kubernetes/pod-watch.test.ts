import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Fault } from '#testing/kubernetes/faults.ts'
import { makePod, podUid } from '#testing/kubernetes/pods.ts'
import { type Kubernetes, startKubernetes } from '#testing/kubernetes/server.ts'
import { ApiConnection } from './api-connection.ts'
import { type Clock, systemClock } from './clock.ts'
import { at } from './json.ts'
import { PodWatch, type PodWatchLimits, type PodWatchOptions } from './pod-watch.ts'

/** Quick in all that a test waits for. */
const quick: Partial<PodWatchLimits> = {
  callsPerMinute: 1000,
  firstDelay: 10,
  longestDelay: 40,
  steady: 20,
}

// A loaded machine may take its time.
vi.setConfig({ testTimeout: 30_000 })

let kubernetes: Kubernetes
let end: AbortController
const running: Promise<void>[] = []
beforeEach(async () => {
  kubernetes = await startKubernetes()
  end = new AbortController()
})
afterEach(async () => {
  end.abort()
  await Promise.all(running.splice(0))
  await kubernetes.stop()
})

function pod(number: number, facts: Parameters<typeof makePod>[0] = {}) {
  return makePod({ uid: podUid(number), name: `pod-${number}`, ...facts })
}

/** What a watch told, one word a call: `+pod`, `-pod`, `=` and the number of pods. */
function watchPods(limits: Partial<PodWatchLimits> = {}, more: Partial<PodWatchOptions> = {}) {
  const told: string[] = []
  const watch = new PodWatch({
    connection: new ApiConnection(kubernetes),
    node: 'node-1',
    receiver: {
      onPod: (json) => told.push(`+${at(json, 'metadata', 'name')}`),
      onGone: (json) => told.push(`-${at(json, 'metadata', 'name')}`),
      onComplete: (uids) => told.push(`=${uids.size}`),
    },
    limits: { ...quick, ...limits },
    ...more,
  })
  running.push(watch.run(end.signal))
  return { told, watch }
}

const eventually = (check: () => void) => vi.waitFor(check, { timeout: 60_000, interval: 5 })
const asked = (kind: string) => kubernetes.requests.filter((request) => request.kind === kind)

describe('the pods of a node', () => {
  it('are listed once, then watched', async () => {
    kubernetes.pods.add(pod(1))
    kubernetes.pods.add(pod(2, { node: 'node-2' }))
    const { told, watch } = watchPods()
    await eventually(() => expect(kubernetes.watches).toBe(1))
    kubernetes.pods.update(pod(1, { labels: { a: 'b' } }))
    kubernetes.pods.add(pod(3))
    kubernetes.pods.add(pod(4, { node: 'node-2' }))
    kubernetes.pods.delete(pod(1))
    await eventually(() => expect(told).toEqual(['+pod-1', '=1', '+pod-1', '+pod-3', '-pod-1']))
    expect(kubernetes.requests.map(({ query }) => query)).toEqual([
      { fieldSelector: 'spec.nodeName=node-1', limit: '100', resourceVersion: '0' },
      {
        fieldSelector: 'spec.nodeName=node-1',
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: '1002',
        timeoutSeconds: expect.stringMatching(/^2[2-9]\d$|^300$/),
      },
    ])
    expect(watch.figures).toMatchObject({ requests: 2, relists: 0, errors: 0, connected: true })
    expect(watch.figures.answerAge).toBeLessThan(60_000)
  })

  it('are watched from where the last watch ended, without another list', async () => {
    const { told, watch } = watchPods()
    await eventually(() => expect(kubernetes.watches).toBe(1))
    kubernetes.pods.add(pod(1))
    await eventually(() => expect(told).toContain('+pod-1'))
    await kubernetes.goDown()
    kubernetes.pods.add(pod(2))
    await eventually(() => expect(watch.figures.lastError).toMatch(/ECONNREFUSED/))
    expect(watch.figures.connected).toBe(false)
    await kubernetes.comeBack()
    await eventually(() => expect(told).toEqual(['=0', '+pod-1', '+pod-2']))
    expect(asked('list')).toHaveLength(1)
    expect(watch.figures).toMatchObject({ connected: true, relists: 0 })
  })

  it('are watched from the last bookmark on', async () => {
    const { told } = watchPods()
    await eventually(() => expect(kubernetes.watches).toBe(1))
    for (let i = 10; i < 15; i++) kubernetes.pods.add(pod(i, { node: 'node-2' }))
    kubernetes.bookmark()
    kubernetes.pods.add(pod(1))
    await eventually(() => expect(told).toContain('+pod-1'))
    kubernetes.pods.add(pod(16, { node: 'node-2' }))
    kubernetes.bookmark()
    // what follows a bookmark in the same stream comes after it
    kubernetes.failWatches(500)
    await eventually(() => expect(asked('watch')).toHaveLength(2))
    expect(asked('watch')[1]?.query['resourceVersion']).toBe('1007')
  })

  it('are watched again at once when a server ends the watch in time', async () => {
    const { watch } = watchPods({ watchTime: 1000, firstDelay: 60_000, longestDelay: 60_000 })
    await eventually(() => expect(asked('watch').length).toBeGreaterThanOrEqual(3))
    expect(watch.figures).toMatchObject({ errors: 0, relists: 0, connected: true })
  })

  it('are passed over when they are too large', async () => {
    kubernetes.pods.add(pod(1, { annotations: { large: 'x'.repeat(5000) } }))
    kubernetes.pods.add(pod(2))
    const { told, watch } = watchPods({ podSize: 4000 })
    await eventually(() => expect(told).toEqual(['+pod-2', '=1']))
    expect(watch.figures).toMatchObject({ oversized: 1, errors: 0 })
  })
})

describe('an API server that has forgotten where the watch stood', () => {
  it.each([
    ['by an event', () => kubernetes.failWatches(410)],
    [
      'by its answer',
      () => {
        kubernetes.faults.next({ kind: 'status', status: 410 }, { on: 'watch' })
        kubernetes.breakConnections()
      },
    ],
    [
      'because the history is gone',
      () => {
        kubernetes.compact()
        kubernetes.breakConnections()
      },
    ],
  ])('and says so %s is asked for a list again, in pages', async (_, forget) => {
    for (let i = 1; i <= 5; i++) kubernetes.pods.add(pod(i))
    const { told, watch } = watchPods({ podsPerPage: 2 })
    await eventually(() => expect(kubernetes.watches).toBe(1))
    kubernetes.pods.delete(pod(5))
    await eventually(() => expect(told).toContain('-pod-5'))
    told.length = 0
    forget()
    await eventually(() => expect(told).toEqual(['+pod-1', '+pod-2', '+pod-3', '+pod-4', '=4']))
    await eventually(() => expect(kubernetes.watches).toBe(1))
    expect(watch.figures).toMatchObject({ relists: 1, connected: true })
    // not from a cache that may be as old
    expect(asked('list').map(({ query }) => query['resourceVersion'])).toEqual([
      '0',
      undefined,
      undefined,
    ])
  })

  it('in the middle of a list is asked for all of it again', async () => {
    for (let i = 1; i <= 3; i++) kubernetes.pods.add(pod(i))
    const { told } = watchPods({ podsPerPage: 2 })
    await eventually(() => expect(kubernetes.watches).toBe(1))
    told.length = 0
    // the first page is as it should be
    kubernetes.faults.next({ kind: 'delay', milliseconds: 0 }, { on: 'list' })
    kubernetes.faults.next({ kind: 'status', status: 410 }, { on: 'list' })
    kubernetes.failWatches(410)
    const pages = ['+pod-1', '+pod-2', '+pod-3', '=3']
    await eventually(() => expect(told).toEqual(['+pod-1', '+pod-2', ...pages]))
  })
})

describe('an API server in trouble', () => {
  const faults: readonly (readonly [string, Fault, Partial<PodWatchLimits>])[] = [
    ['answers 429', { kind: 'status', status: 429 }, {}],
    ['answers 500', { kind: 'status', status: 500 }, {}],
    ['answers 401', { kind: 'status', status: 401 }, {}],
    ['answers nonsense', { kind: 'body', body: '<html>' }, {}],
    ['breaks the connection', { kind: 'refuse' }, {}],
    ['breaks off in the middle', { kind: 'drop', afterBytes: 30 }, {}],
    [
      'does not answer',
      { kind: 'hang' },
      { list: { answer: 30, idle: 1000, total: 1000 }, watch: { answer: 30, idle: 5000 } },
    ],
  ]

  it.each(faults)('is asked again when it %s', async (_, fault, limits) => {
    kubernetes.pods.add(pod(1))
    kubernetes.faults.next(fault, { times: 2, on: 'list' })
    kubernetes.faults.next(fault, { times: 2, on: 'watch' })
    const { told, watch } = watchPods(limits)
    await eventually(() => expect(kubernetes.watches).toBe(1))
    kubernetes.pods.add(pod(2))
    await eventually(() => expect(told).toEqual(expect.arrayContaining(['=1', '+pod-2'])))
    expect(watch.figures).toMatchObject({ connected: true, relists: 0 })
    expect(watch.figures.errors).toBeGreaterThanOrEqual(2)
  })

  it('may be slow', async () => {
    kubernetes.pods.add(pod(1))
    kubernetes.faults.next({ kind: 'delay', milliseconds: 100 }, { on: 'list' })
    kubernetes.faults.next({ kind: 'dribble', bytes: 50, milliseconds: 1 }, { on: 'watch' })
    const { told, watch } = watchPods()
    await eventually(() => expect(kubernetes.watches).toBe(1))
    kubernetes.pods.add(pod(2))
    await eventually(() => expect(told).toEqual(['+pod-1', '=1', '+pod-2']))
    expect(watch.figures.errors).toBe(0)
  })

  it('gives an event once more when it broke off in the middle of it', async () => {
    const { told } = watchPods()
    await eventually(() => expect(kubernetes.watches).toBe(1))
    kubernetes.faults.next({ kind: 'drop', afterBytes: 600 }, { on: 'watch' })
    kubernetes.breakConnections()
    await eventually(() => expect(asked('watch')).toHaveLength(2))
    for (let i = 1; i <= 4; i++) kubernetes.pods.add(pod(i))
    await eventually(() => expect(told).toContain('+pod-4'))
    expect(told).toEqual(['=0', '+pod-1', '+pod-2', '+pod-3', '+pod-4'])
    expect(asked('watch').length).toBeGreaterThanOrEqual(3)
  })

  it('that falls silent is left for another connection', async () => {
    const { watch } = watchPods({ watch: { answer: 5000, idle: 60 } })
    await eventually(() => expect(asked('watch').length).toBeGreaterThanOrEqual(2))
    expect(watch.figures.lastError).toBe('silence for 60 ms')
    expect(asked('list')).toHaveLength(1)
  })

  it('is asked with the new token when the old one is refused', async () => {
    const { watch } = watchPods()
    await eventually(() => expect(kubernetes.watches).toBe(1))
    kubernetes.rotateToken({ write: false })
    kubernetes.breakConnections()
    await eventually(() => expect(watch.figures.lastError).toBe('HTTP 401: Unauthorized'))
    kubernetes.rotateToken()
    await eventually(() => expect(kubernetes.watches).toBe(1))
  })

  it('is left in peace when the agent ends, whatever it does', async () => {
    kubernetes.faults.always({ kind: 'hang' })
    watchPods()
    await eventually(() => expect(kubernetes.requests).toHaveLength(1))
    end.abort()
    await Promise.all(running)
  })
})

/** Time that passes only where the code under test waits; ends the test after so many minutes. */
class VirtualClock implements Clock {
  readonly #minutes: number
  readonly waits: number[] = []
  time = 0

  constructor(minutes: number) {
    this.#minutes = minutes
  }

  now(): number {
    return this.time
  }

  async sleep(milliseconds: number): Promise<void> {
    this.waits.push(milliseconds)
    this.time += milliseconds
    if (this.time > this.#minutes * 60_000) end.abort()
  }

  random(): number {
    return 0.5
  }
}

/** Runs a watch with its own limits for some minutes, and gives the time of each call. */
async function callTimes(minutes: number, limits: Partial<PodWatchLimits> = {}) {
  const clock = new VirtualClock(minutes)
  const times: number[] = []
  const real = new ApiConnection(kubernetes)
  const connection: PodWatchOptions['connection'] = {
    get: (...call) => {
      times.push(clock.time)
      return real.get(...call)
    },
  }
  const receiver = { onPod: () => {}, onGone: () => {}, onComplete: () => {} }
  const options = { connection, node: 'node-1', receiver, clock, limits }
  const watch = new PodWatch(options)
  await watch.run(end.signal)
  const busiest = Math.max(
    ...times.map((from) => times.filter((time) => time >= from && time < from + 60_000).length),
  )
  return { times, busiest, clock, watch }
}

describe('an API server that fails all the time', () => {
  it.each<readonly [string, Fault, 'list' | 'watch' | undefined]>([
    ['answers 500', { kind: 'status', status: 500 }, undefined],
    ['answers 429', { kind: 'status', status: 429, retryAfter: 1 }, undefined],
    ['answers 410 to everything', { kind: 'status', status: 410 }, undefined],
    ['answers 410 to watches', { kind: 'status', status: 410 }, 'watch'],
    ['ends every watch at once', { kind: 'body', body: '' }, 'watch'],
    ['breaks every connection', { kind: 'refuse' }, undefined],
  ])('and %s sees no more than a few calls a minute', async (_, fault, on) => {
    kubernetes.faults.always(fault, on)
    const { times, busiest } = await callTimes(60)
    expect(busiest).toBeLessThanOrEqual(15)
    // in an hour: a call, or a list and a watch, every 45 seconds on average
    expect(times.length).toBeLessThan(190)
    expect(times.length).toBeGreaterThan(60)
  })

  it('cannot make an agent ask for pages without an end', async () => {
    const metadata = { resourceVersion: '1', continue: 'more' }
    kubernetes.faults.always({ kind: 'body', body: JSON.stringify({ metadata, items: [] }) })
    const { busiest, times, watch } = await callTimes(10)
    expect(busiest).toBe(30)
    expect(times.length).toBeLessThanOrEqual(330)
    expect(watch.figures.lastError).toBe('the list has more than 100 pages')
  })

  it('is left alone for as long as it asks for, within reason', async () => {
    kubernetes.faults.next({ kind: 'status', status: 429, retryAfter: 20 })
    kubernetes.faults.next({ kind: 'status', status: 503, retryAfter: 90_000 })
    kubernetes.faults.always({ kind: 'status', status: 500 })
    const { clock } = await callTimes(30)
    expect(clock.waits.slice(0, 2)).toEqual([21_000, 315_000])
    const own = clock.waits.slice(2)
    expect(own.slice(0, 6)).toEqual([3000, 6000, 12_000, 24_000, 45_000, 45_000])
  })
})

it('the clock of the system waits, and stops waiting', async () => {
  const before = systemClock.now()
  await systemClock.sleep(20, new AbortController().signal)
  expect(systemClock.now() - before).toBeGreaterThan(15)
  const stopped = new AbortController()
  const wait = systemClock.sleep(60_000, stopped.signal)
  stopped.abort()
  await wait
  expect(systemClock.random()).toBeLessThan(1)
})
