import { describe, expect, it } from 'vitest'
import {
  sampleAwaiting,
  sampleClosed,
  sampleDelivery,
  sampleMessage,
  sampleResponse,
  sampleUnenforced,
} from '#testing/destinations/sample-messages.ts'
import { MemoryStore } from '#testing/memory-store.ts'
import { readRoutes } from '../../rules/routes/index.ts'
import type { DeliveryEnvelope } from '../shared/delivery-envelope.ts'
import { routeMessage } from './route-message.ts'

const { routes } = readRoutes({
  name: 'routes.yaml',
  text: `
match: first
destinations:
  - {destination: day, kind: slack, secret: lanner/notify/slack/day}
  - {destination: night, kind: pagerduty, secret: lanner/notify/pagerduty/night}
  - {destination: mail, kind: sns}
routes:
  - {route: severe, priority: critical, to: night}
  - {route: day, time: {zone: UTC, hours: 08:00-18:00}, to: day}
default: {to: mail}
`,
})

function world() {
  const store = new MemoryStore()
  const sent: DeliveryEnvelope[] = []
  const route = async (type: string, detail: object, time: string) => {
    const before = sent.length
    await routeMessage(
      { 'detail-type': type, detail, time },
      {
        store,
        routes: async () => routes,
        send: async (_, envelope) => void sent.push(envelope),
        now: () => Date.parse(time),
      },
    )
    return sent.slice(before).map(({ destination }) => destination)
  }
  return { route }
}
const noon = '2026-11-26T12:00:00Z'
const evening = '2026-11-26T19:00:00Z'
const mild = { priority: 'Warning' }

describe('the router', () => {
  it('tells of the end whoever was told of the beginning, whatever the hour', async () => {
    const { route } = world()
    expect(await route('Incident Opened', sampleMessage(mild), noon)).toEqual(['day'])
    expect(await route('Incident Closed', sampleClosed(mild), evening)).toEqual(['day'])
  })

  it('lets others join when it gets worse', async () => {
    const { route } = world()
    await route('Incident Opened', sampleMessage(mild), noon)
    const worse = sampleMessage({ revision: 2 }, 'escalated')
    expect(await route('Incident Updated', worse, evening)).toEqual(['day', 'night'])
    expect(await route('Incident Closed', sampleClosed(), evening)).toEqual(['day', 'night'])
  })

  it('tells of an end that it never heard the beginning of', async () => {
    expect(await world().route('Incident Closed', sampleClosed(mild), evening)).toEqual(['mail'])
  })

  it('wakes nobody for what an approved exception covers, or what is for machines', async () => {
    const suppressed = { id: 'x', owner: 'o', reason: 'r', until: noon }
    const { route } = world()
    expect(await route('Incident Opened', sampleMessage({ suppressed }), noon)).toEqual([])
    expect(await route('Detection', { id: 'x' }, noon)).toEqual([])
  })

  it('tells of responses whoever knows their incident, and by default of what waits for somebody', async () => {
    const { route } = world()
    await route('Incident Opened', sampleMessage(mild), noon)
    expect(await route('Response Planned', sampleResponse(0), noon)).toEqual([])
    expect(await route('Response Approved', sampleResponse(1), evening)).toEqual(['day'])
    // critical: the route for the night fits no response, the default does
    expect(await route('Response Planned', sampleAwaiting, evening)).toEqual(['day', 'mail'])
    expect(await route('Response Verified', sampleUnenforced, evening)).toEqual(['day', 'mail'])
    expect(await route('Response Done', sampleResponse(2), evening)).toEqual(['day', 'mail'])
    expect(await route('Incident Closed', sampleClosed(mild), evening)).toEqual(['day', 'mail'])
  })

  it('tells of a response to an incident that it never heard of', async () => {
    const { route } = world()
    expect(await route('Response Done', sampleResponse(2), noon)).toEqual([])
    expect(await route('Response Failed', sampleResponse(3), noon)).toEqual(['mail'])
  })

  it('does not tell a destination that it fails, if there is another', async () => {
    const { route } = world()
    const failing = { ...sampleDelivery, destination: 'mail' }
    // nothing else fits: better there than nowhere
    expect(await route('Delivery Health', failing, noon)).toEqual(['mail'])
    expect(await route('Delivery Health', sampleDelivery, noon)).toEqual(['mail'])
  })
})
