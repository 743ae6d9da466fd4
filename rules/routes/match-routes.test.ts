import { describe, expect, it } from 'vitest'
import { type RouteMatch, routeSubject, type Subject } from './index.ts'
import type { Route, Routes } from './route.ts'
import { isWithin, type Schedule, weekdays } from './schedule.ts'

const at = { file: 'r', line: 1, column: 1, offset: 0, length: 0 }
const route = (name: string, match: Partial<RouteMatch>, to: string[] = [name]): Route => ({
  ...{ name, to, at, match: { about: ['incident'], ...match } },
})
const destination = (name: string) => ({ name }) as Routes['destinations'][number]
const routes = (matching: 'first' | 'all', ...list: Route[]): Routes => ({
  ...{ matching, routes: list, otherwise: ['default'], links: {}, redact: [] },
  destinations: ['a', 'b', 'c', 'default'].map(destination),
})
const subject: Subject = {
  ...{ about: 'incident', priority: 2, rules: ['Shell in container'], tags: ['host', 'T1059'] },
  ...{ cluster: 'prod', namespace: 'payments', workload: 'Deployment/api', source: 'syscall' },
  ...{ labels: { team: 'core' }, time: Date.parse('2026-11-25T17:00:00Z') },
}

describe('where a subject goes', () => {
  it('the first route that fits decides', () => {
    const list = [route('a', { cluster: ['test'] }), route('b', {}), route('c', {})]
    const { to, outcomes } = routeSubject(routes('first', ...list), subject)
    expect(to).toEqual(['b'])
    expect(outcomes.map(({ reason }) => reason)).toEqual([
      'cluster "prod" is none of "test"',
      'fits',
    ])
  })

  it('or all that fit, each destination once', () => {
    const list = [route('a', {}), route('b', {}, ['a', 'b']), route('c', { priority: 1 })]
    const { to, outcomes } = routeSubject(routes('all', ...list), subject)
    expect(to).toEqual(['a', 'b'])
    expect(outcomes.at(-1)!.reason).toBe('priority Critical is below Alert')
  })

  it('the default when none fits, and never beside one', () => {
    expect(routeSubject(routes('all'), subject).to).toEqual(['default'])
    expect(routeSubject(routes('first', route('a', { tag: ['x'] })), subject).to).toEqual([
      'default',
    ])
    expect(routeSubject(routes('first', route('a', {}, [])), subject).to).toEqual([])
  })

  it.each<[string, Partial<RouteMatch>, boolean]>([
    ['rule', { rule: ['Shell*'] }, true],
    ['rule', { rule: ['shell*'] }, false],
    ['tag', { tag: ['T1*', 'x'] }, true],
    ['namespace', { namespace: ['*pay*ts'] }, true],
    ['namespace', { namespace: ['pay'] }, false],
    ['workload', { workload: ['Deployment/*'] }, true],
    ['label', { label: { team: ['core'] } }, true],
    ['label', { label: { team: ['core'], tier: ['*'] } }, false],
    ['label', { label: { constructor: ['*'] } }, false],
    ['source', { source: ['aws_cloudtrail'] }, false],
    ['about', { about: ['health'] }, false],
    ['state', { state: ['silent'] }, false],
  ])('%s %j: %s', (_, match, fits) => {
    expect(routeSubject(routes('first', route('a', match)), subject).to).toEqual(
      fits ? ['a'] : ['default'],
    )
  })

  it('that a sensor started wakes nobody, unless a route asks', () => {
    const started: Subject = { ...subject, about: 'health', state: 'started' }
    expect(routeSubject(routes('first'), started).to).toEqual([])
    expect(routeSubject(routes('first'), { ...started, state: 'silent' }).to).toEqual(['default'])
    const asks = route('a', { about: ['health'], state: ['started'] })
    expect(routeSubject(routes('first', asks), started).to).toEqual(['a'])
  })
})

describe('where a response goes', () => {
  const response: Subject = {
    ...{ about: 'response', priority: 2, rules: ['Cut off'], tags: [], labels: {}, time: 0 },
    ...{ cluster: 'prod', namespace: 'shop', mode: 'approve', state: 'awaiting' },
  }
  it.each<[string, Partial<Subject>, boolean]>([
    ['what waits for approval', { state: 'awaiting' }, true],
    ['what failed', { state: 'failed' }, true],
    ['what is not contained', { state: 'verified', outcome: 'unenforced' }, true],
    [
      'what is only partially contained',
      { state: 'verified', outcome: 'partially_contained' },
      true,
    ],
    ['what nobody knows of', { state: 'verified', outcome: 'unverified' }, true],
    ['what is contained', { state: 'verified', outcome: 'contained' }, false],
    ['what only was planned', { state: 'planned', mode: 'observe' }, false],
    ['what was approved', { state: 'approved' }, false],
    ['what was done', { state: 'done' }, false],
    ['what is over', { state: 'expired', outcome: 'unenforced' }, false],
  ])('by default: %s', (_, more, wakes) => {
    const { to } = routeSubject(routes('first'), { ...response, ...more })
    expect(to).toEqual(wakes ? ['default'] : [])
  })

  it.each<[Partial<RouteMatch>, boolean]>([
    [{}, true],
    [{ state: ['awaiting'] }, true],
    [{ state: ['planned'] }, false],
    [{ mode: ['auto', 'approve'] }, true],
    [{ mode: ['observe'] }, false],
    [{ outcome: ['un*'] }, false],
    [{ cluster: ['pr*'], namespace: ['shop'], rule: ['Cut*'] }, true],
    [{ workload: ['*'] }, false],
  ])('by its route %j: %s', (match, fits) => {
    const { to } = routeSubject(
      routes('first', route('a', { about: ['response'], ...match })),
      response,
    )
    expect(to).toEqual(fits ? ['a'] : ['default'])
  })

  it('not by a route for incidents', () => {
    expect(routeSubject(routes('first', route('a', {})), response).to).toEqual(['default'])
  })
})

describe('hours', () => {
  const office: Schedule = {
    ...{ zone: 'Europe/Berlin', days: weekdays.slice(0, 5), from: 540, to: 1050, outside: false },
  }
  it.each([
    ['2026-11-25T08:00:00Z', office, true], // Wednesday, 09:00
    ['2026-11-25T07:59:00Z', office, false],
    ['2026-11-25T16:30:00Z', office, false], // 17:30
    ['2026-07-01T07:00:00Z', office, true], // summer time
    ['2026-11-28T10:00:00Z', office, false], // Saturday
    ['2026-11-28T10:00:00Z', { ...office, outside: true }, true],
    // Friday night ends on Saturday morning
    ['2026-11-28T03:00:00Z', { ...office, from: 1320, to: 360 }, true],
    ['2026-11-27T03:00:00Z', { ...office, days: ['fri'], from: 1320, to: 360 }, false],
    ['2026-11-29T03:00:00Z', { ...office, from: 1320, to: 360 }, false],
    // the hour that does not exist, and the one that comes twice
    ['2026-03-29T01:30:00Z', { ...office, days: ['sun'], from: 180, to: 240 }, true],
    ['2026-10-25T00:30:00Z', { ...office, days: ['sun'], from: 120, to: 180 }, true],
    ['2026-10-25T01:30:00Z', { ...office, days: ['sun'], from: 120, to: 180 }, true],
  ] as [string, Schedule, boolean][])('%s', (time, schedule, expected) => {
    expect(isWithin(schedule, Date.parse(time))).toBe(expected)
  })
})
