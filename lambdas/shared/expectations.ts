import type { Json, StateStore } from '#correlate'
import { eventTypes, type Notice, type Socket, type SyscallEvent } from '#events'
import {
  chained,
  type Heard,
  heardBy,
  heartbeatMs,
  joined,
  milliseconds,
  type Place,
  type Stretch,
} from './heard.ts'
import { itemKey } from './state-key.ts'

/** What a pod that is cut off must not do any more, until when it is looked at. */
export interface Expectation {
  /** The response's id. */
  readonly id: string
  readonly cluster: string
  readonly node: string
  readonly podUid: string
  /** Ids of its containers, twelve characters. */
  readonly containers: readonly string[]
  /** Milliseconds of the epoch: what happens after `from` counts, up to `until`. */
  readonly from: number
  readonly until: number
  /** Names of event types that tell of traffic. */
  readonly forbidden: readonly string[]
  /** Whoever asks from there whether the pod lives. */
  readonly probes?: Probes
}

/** Addresses of a node, and ports of a pod of its own at which it looks whether that lives. */
export interface Probes {
  readonly addresses: readonly string[]
  readonly ports: readonly number[]
}

/** What a node told of a pod that is cut off. Grows only, whatever comes twice or late. */
export interface Observation {
  /** Batches that came of the node. */
  readonly heard: readonly Heard[]
  /** Milliseconds of the epoch: the node said that it ships all of the pod's network. */
  readonly watched: readonly Stretch[]
  /** Traffic that came through: a connection made, or bytes that came in. At most 20. */
  readonly traffic: readonly Seen[]
  /** Bytes that went out on a connection: whether they arrive, no node can say. At most 20. */
  readonly held: readonly Seen[]
  /** Uses of io_uring: what goes through a ring that is set up is not seen. At most 20. */
  readonly rings: readonly Seen[]
  /** Connections to others that processes of the pod hold, when the node last said; none when it never did. */
  readonly open?: Open | undefined
}

export interface Open {
  /** Milliseconds of the epoch. */
  readonly time: number
  readonly count: number
}

export interface Seen {
  readonly event: string
  readonly time: number
  readonly container: string
  readonly process: string
  readonly remote: string
}

/** What a batch tells of its node beside its events. */
export interface Coverage extends Place {
  readonly cluster: string
  readonly node: string
  readonly notices: readonly Notice[]
}

/** Event types that tell of traffic; reads and writes count on sockets of the internet alone. */
export const trafficEvents = [
  ...['connect', 'accept', 'accept4', 'sendto', 'sendmsg', 'sendmmsg', 'recvfrom', 'recvmsg'],
  ...['recvmmsg', 'read', 'readv', 'write', 'writev', 'sendfile', 'splice'],
  ...['io_uring_setup', 'io_uring_enter'],
] as const
const rings = new Set(['io_uring_setup', 'io_uring_enter'])
const makes = new Set(['connect', 'accept', 'accept4'])
const brings = new Set(['recvfrom', 'recvmsg', 'recvmmsg', 'read', 'readv'])
const mostSeen = 20

/**
 * What the events of one node mean for the expectations there are, by expectation: none for those of
 * other nodes and times. Pure; an expectation without events still learns that its node was heard of.
 */
export function matchExpectations(
  expectations: readonly Expectation[],
  coverage: Coverage,
  events: Iterable<SyscallEvent>,
): ReadonlyMap<string, Observation> {
  const one = heardBy(coverage)
  const about = expectations.filter(
    (each) =>
      each.cluster === coverage.cluster &&
      each.node === coverage.node &&
      each.from <= one.to &&
      each.until >= Math.min(one.from, one.to - heartbeatMs),
  )
  if (about.length === 0) return new Map()
  const found = new Map<string, { traffic: Seen[]; held: Seen[]; rings: Seen[] }>()
  for (const { id } of about) found.set(id, { traffic: [], held: [], rings: [] })
  for (const event of events) {
    const { container } = event.process
    if (container === undefined) continue
    const time = milliseconds(event.time)
    for (const each of about) {
      const isIts = each.containers.includes(container.id) || container.podUid === each.podUid
      if (!isIts || time < each.from || time > each.until) continue
      const kind = judge(event, each)
      if (kind !== undefined) found.get(each.id)![kind].push(seen(event, time, container.id))
    }
  }
  return new Map(
    about.map(({ id, podUid, until }) => {
      const told = toldOf(coverage.notices, podUid)
      const watched = told.map(({ since, time }): Stretch => [since, time])
      const open = told.reduce<Open | undefined>((last, { time, count }) => {
        return count === undefined || time > until ? last : later(last, { time, count })
      }, undefined)
      return [id, { heard: [one], watched, ...found.get(id)!, ...(open && { open }) }]
    }),
  )
}

/** What was said last; of the same moment, the most. */
function later(a: Open | undefined, b: Open | undefined): Open | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return a.time > b.time || (a.time === b.time && a.count >= b.count) ? a : b
}

/** What a node says of a pod whose network it ships: `UID SINCE CONNECTIONS`, see `pod-watched` of the notices. */
function toldOf(notices: readonly Notice[], podUid: string) {
  return notices.flatMap(({ kind, time, text }) => {
    if (kind !== 'pod-watched' || !text.startsWith(`${podUid} `)) return []
    const [since = Number.NaN, count, ...more] = text
      .slice(podUid.length + 1)
      .split(' ')
      .map((word) => (/^\d{1,15}$/.test(word) ? Number(word) : Number.NaN))
    const at = milliseconds(time)
    if (!(since > 0 && since <= at) || more.length > 0 || Number.isNaN(count)) return []
    return [{ since, time: at, count }]
  })
}

function judge(
  event: SyscallEvent,
  { forbidden, probes }: Expectation,
): 'traffic' | 'held' | 'rings' | undefined {
  const name = eventTypes[event.type]?.name ?? ''
  if (!forbidden.includes(name)) return undefined
  const { fd, result } = event
  if (rings.has(name)) return result === undefined || result < 0 ? undefined : 'rings'
  if (fd === undefined || (fd.kind !== 'ipv4' && fd.kind !== 'ipv6')) return undefined
  if (isLoopback(fd.socket?.remoteIp ?? '') || isProbe(name, fd.socket, probes)) return undefined
  if (result === undefined || result < 0) return undefined
  if (makes.has(name)) return fd.socket?.l4proto === 'udp' ? undefined : 'traffic'
  if (result === 0) return undefined
  return brings.has(name) ? 'traffic' : 'held'
}

/** Whether a connection was made by the pod's node to one of its ports for probes. */
function isProbe(name: string, socket: Socket | undefined, probes: Probes | undefined): boolean {
  if (socket?.role !== 'server' || socket.l4proto !== 'tcp' || name === 'connect') return false
  const from = socket.remoteIp.replace(/^::ffff:/, '')
  return probes?.addresses.includes(from) === true && probes.ports.includes(socket.localPort)
}

function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1' || ip.startsWith('::ffff:127.')
}

function seen(event: SyscallEvent, time: number, container: string): Seen {
  const socket = event.fd?.socket
  return {
    event: eventTypes[event.type]!.name,
    time,
    container,
    process: event.process.comm.slice(0, 32),
    remote: socket === undefined ? '' : `${socket.remoteIp}:${socket.remotePort}`,
  }
}

export const nothingObserved: Observation = {
  ...{ heard: [], watched: [], traffic: [], held: [], rings: [] },
}

/** Both observations as one; the same twice is as once. */
export function mergeObservations(a: Observation, b: Observation): Observation {
  const open = later(a.open, b.open)
  return {
    heard: chained([...a.heard, ...b.heard]),
    watched: joined([...a.watched, ...b.watched]),
    traffic: distinct([...a.traffic, ...b.traffic]),
    held: distinct([...a.held, ...b.held]),
    rings: distinct([...a.rings, ...b.rings]),
    ...(open && { open }),
  }
}

/** The last ones: what came while an act was not yet in force must not take the place of what came after. */
function distinct(all: readonly Seen[]): Seen[] {
  const byText = new Map(all.map((one) => [JSON.stringify(one), one]))
  return [...byText.values()]
    .sort((a, b) => a.time - b.time || (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    .slice(-mostSeen)
}

/** Key of the expectations of a cluster: one item, so that reading it costs one unit now and then. */
export function boardKey(cluster: string): string {
  return itemKey('expectations', cluster)
}

export function observationKey(id: string): string {
  return itemKey('observation', id)
}

const mostOnBoard = 200

/** Expectations of a cluster that still count; to be kept for some seconds by who asks for every batch. */
export async function readExpectations(
  store: StateStore,
  cluster: string,
  now: number,
): Promise<readonly Expectation[]> {
  const item = (await store.read([boardKey(cluster)], now)).get(boardKey(cluster))
  const all = (item?.value ?? []) as unknown as readonly Expectation[]
  return all.filter(({ until }) => until + graceMs >= now * 1000)
}

/** Batches may come so much later than what they tell of. */
const graceMs = 120_000

/** Puts an expectation on the board of its cluster; once is enough, twice does no harm. */
export async function addExpectation(
  store: StateStore,
  expectation: Expectation,
  now: number,
): Promise<void> {
  const key = boardKey(expectation.cluster)
  await change(store, key, now, now + 86_400, (value) => {
    const others = ((value ?? []) as unknown as readonly Expectation[]).filter(
      ({ id, until }) => id !== expectation.id && until + graceMs >= now * 1000,
    )
    return [...others, expectation].slice(-mostOnBoard) as unknown as Json
  })
}

/** Adds what was observed to what is known. For the stage that sees the batches. */
export async function addObservations(
  store: StateStore,
  observed: ReadonlyMap<string, Observation>,
  now: number,
): Promise<void> {
  for (const [id, observation] of observed) {
    await change(store, observationKey(id), now, now + 86_400, (value) => {
      const before = { ...nothingObserved, ...(value as unknown as Partial<Observation>) }
      return mergeObservations(before, observation) as unknown as Json
    })
  }
}

export async function readObservation(
  store: StateStore,
  id: string,
  now: number,
): Promise<Observation> {
  const item = (await store.read([observationKey(id)], now)).get(observationKey(id))
  return { ...nothingObserved, ...(item?.value as unknown as Partial<Observation> | undefined) }
}

async function change(
  store: StateStore,
  key: string,
  now: number,
  expires: number,
  update: (value: Json | undefined) => Json,
): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const item = (await store.read([key], now)).get(key)
    const value = update(item?.value)
    if (item !== undefined && JSON.stringify(item.value) === JSON.stringify(value)) return
    const conflicts = await store.write([{ key, value, from: item?.version ?? 0, expires }])
    if (conflicts.length === 0) return
  }
  throw new Error(`${key}: others keep writing`)
}
