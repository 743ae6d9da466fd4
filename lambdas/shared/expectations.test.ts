import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { NoticeKind, SyscallEvent } from '#events'
import { makeContainer, makeEvent, makeFile, makeProcess, makeSocket } from '#testing/events.ts'
import {
  type Expectation,
  matchExpectations,
  mergeObservations,
  nothingObserved,
  type Observation,
  trafficEvents,
} from './expectations.ts'
import type { Heard } from './heard.ts'

const start = 1_800_000_000_000
const container = makeContainer({ podUid: 'pod-1' })
const expectation: Expectation = {
  ...{ id: 'r1', cluster: 'test', node: 'n1', podUid: 'pod-1', containers: [container.id] },
  ...{ from: start, until: start + 60_000, forbidden: trafficEvents },
}
const nanoseconds = (ms: number) => BigInt(ms) * 1_000_000n
const coverage = (ms: number, more: object = {}) => ({
  ...{ cluster: 'test', node: 'n1', firstTime: 0n, lastTime: 0n, run: 1n, sequence: 7 },
  ...{ hasGap: false, notices: [], counters: { lost: {} } },
  ...{ sealedAt: nanoseconds(ms), ...more },
})
const remote = makeSocket({ remoteIp: '1.2.3.4' })
const event = (name: string, facts: Parameters<typeof makeEvent>[1] = {}): SyscallEvent =>
  makeEvent(name, {
    ...{ time: nanoseconds(start + 20_000), fd: remote, result: 10 },
    process: makeProcess({ comm: 'sh', container }),
    ...facts,
  })
const kind = (...events: SyscallEvent[]) => {
  const found = matchExpectations([expectation], coverage(start + 30_000), events).get('r1')!
  return (['traffic', 'held', 'rings'] as const).filter((each) => found[each].length > 0).join()
}

describe('what a pod that is cut off does', () => {
  it.each<[string, SyscallEvent, string]>([
    ['a connection made', event('connect', { result: 0 }), 'traffic'],
    ['a connection refused', event('connect', { result: -111 }), ''],
    ['a connection under way', event('connect', { result: -115 }), ''],
    ['a connection taken', event('accept4', { result: 7 }), 'traffic'],
    ['bytes that come in', event('read'), 'traffic'],
    ['a message that comes in', event('recvfrom'), 'traffic'],
    ['the end of a connection', event('read', { result: 0 }), ''],
    ['bytes that go out on a connection it holds', event('write'), 'held'],
    ['a datagram that goes out', event('sendto'), 'held'],
    ['a file that goes out', event('sendfile'), 'held'],
    ['what a relay passes on', event('splice'), 'held'],
    ['a ring set up', event('io_uring_setup', { fd: undefined, result: 5 }), 'rings'],
    ['a ring used', event('io_uring_enter', { fd: undefined, result: 0 }), 'rings'],
    ['a ring refused', event('io_uring_setup', { fd: undefined, result: -1 }), ''],
    [
      'an address set on a datagram socket',
      event('connect', { result: 0, fd: makeSocket({ l4proto: 'udp' }) }),
      '',
    ],
    ['a file read', event('read', { fd: makeFile('/etc/passwd') }), ''],
    ['talk with itself', event('read', { fd: makeSocket({ remoteIp: '127.0.0.1' }) }), ''],
    [
      'talk with itself over IPv6',
      event('read', { fd: makeSocket({ remoteIp: '::1' }, { kind: 'ipv6' }) }),
      '',
    ],
    [
      'another pod',
      event('read', {
        process: makeProcess({
          container: makeContainer({ fullId: 'f'.repeat(64), podUid: 'pod-2' }),
        }),
      }),
      '',
    ],
    [
      'a container of it that came later',
      event('read', {
        process: makeProcess({
          container: makeContainer({ fullId: 'f'.repeat(64), podUid: 'pod-1' }),
        }),
      }),
      'traffic',
    ],
    ['the host', event('read', { process: makeProcess() }), ''],
    ['something before', event('read', { time: nanoseconds(start - 1) }), ''],
    ['something after', event('read', { time: nanoseconds(start + 60_001) }), ''],
    [
      'a program started',
      makeEvent('execve', { process: makeProcess({ container }), time: nanoseconds(start + 1) }),
      '',
    ],
  ])('%s is %s', (_, one, what) => expect(kind(one)).toBe(what))

  const probes = { addresses: ['10.0.0.1'], ports: [8080] }
  const probe = { remoteIp: '10.0.0.1', localPort: 8080, role: 'server' } as const
  it.each<[string, string, Parameters<typeof makeSocket>[0], string]>([
    ['a look of its node', 'accept4', probe, ''],
    ['what its node asks', 'read', probe, ''],
    ['what it answers', 'write', { ...probe, remoteIp: '::ffff:10.0.0.1' }, ''],
    ['another port', 'accept4', { ...probe, localPort: 22 }, 'traffic'],
    ['somebody else', 'accept4', { ...probe, remoteIp: '10.0.0.2' }, 'traffic'],
    ['a connection of its own', 'read', { ...probe, role: 'client' }, 'traffic'],
    ['a connection that it makes', 'connect', probe, 'traffic'],
  ])('%s at a port for probes is %s', (_, name, socket, what) => {
    const one = event(name, { fd: makeSocket(socket), ...(name === 'connect' && { result: 0 }) })
    const spared = { ...expectation, probes }
    const found = matchExpectations([spared], coverage(start + 30_000), [one]).get('r1')!
    expect([found.traffic.length, found.held.length]).toEqual([
      what === 'traffic' ? 1 : 0,
      what === 'held' ? 1 : 0,
    ])
  })

  it('counts for its node, cluster and time alone', () => {
    const found = (more: object) =>
      matchExpectations([expectation], coverage(start + 30_000, more), [event('read')]).size
    expect([found({}), found({ node: 'n2' }), found({ cluster: 'x' })]).toEqual([1, 0, 0])
    expect(found({ sealedAt: nanoseconds(start - 1) })).toBe(0)
    expect(found({ sealedAt: nanoseconds(start + 126_000) })).toBe(0)
  })

  it('is heard of by what its batches say of the time', () => {
    const heard = (more: object = {}) =>
      matchExpectations([expectation], coverage(start + 10_000, more), []).get('r1')!.heard
    expect(heard({ firstTime: nanoseconds(start + 9000) })).toEqual([
      {
        ...{ run: '1', first: 7, last: 7, lost: 0, from: start + 9000, to: start + 10_000 },
        claim: start - 55_000,
      },
    ])
  })
})

describe('a node that watches a pod', () => {
  const watched = (text: string, kind: NoticeKind = 'pod-watched') => {
    const notices = [{ kind, text, time: nanoseconds(start + 5000) }]
    const about = coverage(start + 30_000, { notices })
    return matchExpectations([expectation], about, []).get('r1')!.watched
  }
  it('says so for the time that it names', () => {
    expect(watched(`pod-1 ${start + 500}`)).toEqual([[start + 500, start + 5000]])
  })
  it('says with it how many connections the pod holds, last within the time', () => {
    const notices = [
      [5000, `pod-1 ${start} 2`],
      [9000, `pod-1 ${start} 1`],
      [9500, `pod-1 ${start}`],
      [61_000, `pod-1 ${start} 0`],
    ].map(([at, text]) => {
      return {
        kind: 'pod-watched' as const,
        text: `${text}`,
        time: nanoseconds(start + Number(at)),
      }
    })
    const about = coverage(start + 62_000, { notices })
    const { watched, open } = matchExpectations([expectation], about, []).get('r1')!
    expect(watched).toHaveLength(4)
    expect(open).toEqual({ time: start + 9000, count: 1 })
  })
  it.each<[what: string, text: string, kind?: NoticeKind]>([
    ['another pod', `pod-2 ${start}`],
    ['a pod whose uid begins alike', `pod-10 ${start}`],
    ['no time', 'pod-1 '],
    ['no number', 'pod-1 soon'],
    ['no number of connections', `pod-1 ${start} some`],
    ['more than that', `pod-1 ${start} 1 2`],
    ['a time to come', `pod-1 ${start + 60_000}`],
    ['something else', `pod-1 ${start}`, 'limited'],
  ])('is not believed when it tells of %s', (what, text, kind) => {
    expect(watched(text, kind), what).toEqual([])
  })
})

describe('observations', () => {
  it('keep the last of many: what came early does not hide what came after', () => {
    const one = { event: 'read', container: 'c', process: 'p', remote: 'a' }
    const many = Array.from({ length: 50 }, (_, time) => ({ ...one, time }))
    const { traffic } = many.reduce(
      (all, each) => mergeObservations(all, { ...nothingObserved, traffic: [each] }),
      nothingObserved,
    )
    expect(traffic.map(({ time }) => time)).toEqual(many.slice(-20).map(({ time }) => time))
  })
  const seen = fc.record({
    event: fc.constantFrom('read', 'write'),
    time: fc.nat(9),
    container: fc.constant('c'),
    process: fc.constant('p'),
    remote: fc.constantFrom('a', 'b'),
  })
  const observation: fc.Arbitrary<Observation> = fc.record({
    heard: fc.array(
      fc.nat(6).map((at) => {
        const times = { from: at * 10, to: at * 10 + 10, claim: at * 10 - 65 }
        return { run: '1', first: at, last: at, ...times, lost: at > 3 ? 1 : 0 }
      }),
      { maxLength: 5 },
    ),
    watched: fc.constant([]),
    traffic: fc.array(seen, { maxLength: 5 }),
    held: fc.array(seen, { maxLength: 5 }),
    rings: fc.array(seen, { maxLength: 5 }),
    open: fc.option(fc.record({ time: fc.nat(3), count: fc.nat(3) }), { nil: undefined }),
  })
  it('are the same in any order, and however often they come', () => {
    fc.assert(
      fc.property(observation, observation, observation, (a, b, c) => {
        const whole = [a, b, c].reduce(mergeObservations, nothingObserved)
        expect([c, a, b, a, c].reduce(mergeObservations, nothingObserved)).toEqual(whole)
        for (const { run, first, last } of a.heard) {
          const has = (one: Heard) => one.run === run && one.first <= first && one.last >= last
          expect(whole.heard.some(has)).toBe(true)
        }
      }),
    )
  })
})
