import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { FailingStore } from '#testing/failing-store.ts'
import { libraryArtefact } from '#testing/pipeline/records.ts'
import type { BusMessage } from '../shared/bus.ts'
import type { IncidentMessage } from '../shared/bus-messages.ts'
import type { Detection } from '../shared/detection.ts'
import { NoAlert, readAlert } from './read-alert.ts'
import { prepareAlertSet, TakeAlerts } from './take-alerts.ts'

const set = prepareAlertSet(libraryArtefact(), 'a'.repeat(64))
let bus: BusMessage[] = []
let lake: Detection[] = []
beforeEach(() => {
  bus = []
  lake = []
})

const open = (store = new FailingStore()) =>
  new TakeAlerts({
    ...{ store, sets: { of: async () => set }, cluster: 'old-fleet', quiet: 900 },
    bus: { put: async (messages) => void bus.push(...messages) },
    toLake: async (detections) => void lake.push(...detections),
    ...{ now: () => Date.UTC(2026, 10, 26, 10), random: () => 0.5, pause: async () => {} },
  })

/** As Falcosidekick sends it to SQS. */
const alert = (facts: Record<string, unknown> = {}, fields: Record<string, unknown> = {}) =>
  JSON.stringify({
    uuid: '5b4b1a9c-3a1a-4b6f-9d4c-000000000000',
    output: '10:00:00.000000000: Notice A shell was spawned in a container (user=root)',
    ...{ priority: 'Notice', rule: 'Terminal shell in container', source: 'syscall' },
    ...{ time: '2026-11-26T09:59:58.123456789Z', hostname: 'ip-10-0-0-7' },
    output_fields: {
      ...{ 'container.id': 'aabbccddeeff', 'k8s.ns.name': 'shop', 'k8s.pod.name': 'cart-1' },
      ...{ 'proc.name': 'bash', 'evt.time': 1.795687198e18, 'user.name': 'root', ...fields },
    },
    ...{ tags: ['container', 'mitre_execution', 'T1059'], ...facts },
  })

const take = (...texts: string[]) => open().run(texts.map((text, at) => ({ id: `m${at}`, text })))
const incidents = () =>
  bus
    .filter(({ type }) => type.startsWith('Incident'))
    .map(({ detail }) => detail as IncidentMessage)

describe('alerts of Falco', () => {
  it('become incidents that nobody vouches for', async () => {
    const { refused } = await take(alert())
    expect(refused).toEqual([])
    expect(lake[0]).toMatchObject({
      ...{ rule: 'Terminal shell in container', priority: 'Notice', hostname: 'ip-10-0-0-7' },
      lanner: {
        ...{ kind: 'falco', cluster: 'old-fleet', sender: 'unverified' },
        pod: { namespace: 'shop', name: 'cart-1' },
      },
    })
    expect(incidents()[0]!.incident).toMatchObject({ sender: 'unverified', count: 1 })
  })

  it('that come twice are one, and those of one pod and tactic are one incident', async () => {
    const takeAlerts = open()
    const again = { id: 'm', text: alert() }
    await takeAlerts.run([again])
    await takeAlerts.run([again])
    const time = '2026-11-26T09:59:59.000000000Z'
    await takeAlerts.run([
      { id: 'n', text: alert({ time, rule: 'Another', priority: 'Critical' }) },
    ])
    const said = new Map(incidents().map((message) => [message.id, message]))
    expect([...said.values()].map(({ reason }) => reason)).toEqual(['opened', 'escalated'])
    expect([...said.values()].at(-1)!.incident.count).toBe(2)
  })

  it('take part in correlations by the names and tags of their rules', async () => {
    const texts = Array.from({ length: 20 }, (_, at) =>
      alert(
        {
          ...{
            rule: 'Unexpected outbound connection',
            tags: ['network', 'mitre_command_and_control'],
          },
          time: `2026-11-26T09:59:${String(at + 10)}.000000000Z`,
        },
        { 'fd.sip': `203.0.113.${at}`, 'proc.exepath': '/tmp/x', 'fd.sport': 443 },
      ),
    )
    const { figures } = await take(...texts)
    expect(figures.firings).toBeGreaterThan(0)
    expect(
      lake.filter(({ lanner }) => lanner.kind === 'correlation').map(({ rule }) => rule),
    ).toContain('Outbound scan')
  })

  it.each([
    ['no JSON', '{', /no JSON/],
    ['a list', '[]', /no JSON object/],
    ['no rule', alert({ rule: '' }), /no "rule"/],
    ['an unknown priority', alert({ priority: 'urgent' }), /no priority/],
    ['no time', alert({ time: 'now' }), /no time/],
  ])('are refused when they are %s, and the others are taken', async (_, text, reason) => {
    const { refused, figures } = await take(text, alert())
    expect(refused).toEqual([{ id: 'm0', reason: expect.stringMatching(reason) }])
    expect(figures.detections).toBe(1)
  })

  it('of whatever content are read or refused, never a crash', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc
            .record({ rule: fc.anything(), output_fields: fc.anything(), tags: fc.anything() })
            .map((facts) => {
              try {
                return alert(facts as Record<string, unknown>)
              } catch {
                return ''
              }
            }),
        ),
        (text) => {
          try {
            readAlert(text, { cluster: 'c', evaluateTime: '' })
          } catch (error) {
            if (!(error instanceof NoAlert)) throw error
          }
        },
      ),
    )
  })

  const odd = { toString: 1, valueOf: 1 }
  it.each(['hostname', 'source', 'priority', 'time', 'rule', 'tags'])(
    'are read or refused when their %s is no text and cannot become one',
    (key) => {
      const text = alert({ [key]: key === 'tags' ? [odd, 'a'] : odd })
      try {
        const { detection } = readAlert(text, { cluster: 'c', evaluateTime: '' })
        expect(detection.tags.every((tag) => typeof tag === 'string')).toBe(true)
      } catch (error) {
        expect(error).toBeInstanceOf(NoAlert)
      }
    },
  )

  it('keep their cluster when a field that names one is no text', () => {
    const text = alert({ output_fields: { cluster: odd, 'k8s.pod.name': 'p', 'k8s.ns.name': odd } })
    const { detection } = readAlert(text, { cluster: 'c', evaluateTime: '' })
    expect(detection.lanner).toMatchObject({ cluster: 'c', pod: { name: 'p', namespace: '' } })
  })
})
