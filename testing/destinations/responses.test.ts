import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { StateStore } from '#correlate'
import type { DetailType, ResponseMessage } from '../../lambdas/shared/bus-messages.ts'
import { FailingStore, type WriteFailure } from '../failing-store.ts'
import { type Case, cases } from './cases/index.ts'
import {
  sampleAwaiting,
  sampleClosed,
  sampleMessage,
  sampleResponse,
  sampleUnenforced,
} from './sample-messages.ts'
import { startTestSecrets, type TestSecrets, VirtualDelivery } from './virtual-delivery.ts'

const minute = 60_000
const subject = '1'.repeat(64)

let secrets: TestSecrets
beforeAll(async () => {
  secrets = await startTestSecrets()
})
afterAll(() => secrets.stop())

/** One response from plan to undo. */
const story: readonly (readonly [DetailType, ResponseMessage])[] = [
  ['Response Planned', sampleAwaiting],
  ['Response Approved', sampleResponse(1, { text: 'approved by ann' })],
  ['Response Failed', sampleResponse(2, { text: 'Keep the logs: 500' })],
  ['Response Done', sampleResponse(3, { text: 'Cut the pod off' })],
  ['Response Verified', sampleUnenforced],
  ['Response Expired', sampleResponse(5, { text: 'everything is undone' })],
]
const ids = story.map(([, { id }]) => id)

describe.each(cases)('responses at $name', ({ name, start, repeatsWhatWasLost, isLog }) => {
  let at: Case
  let delivery: VirtualDelivery
  const open = async (store?: StateStore) => {
    const { make, destination, secret } = at
    delivery = await VirtualDelivery.open({
      ...{ make, destination, secret, secrets: secrets.client },
      ...(store !== undefined && { store }),
    })
  }
  beforeEach(async () => {
    at = await start(undefined, () => delivery.now)
    await open()
  })
  afterEach(() => at.stop())

  const tell = async (lines = story) => {
    for (const [type, message] of lines) {
      delivery.say(type, message)
      await delivery.run(5000)
    }
  }
  /** Subjects of what stands by itself: a thread, a ticket, an alert, a finding. */
  const threads = async () => (await at.seen(delivery.now)).map((one) => one.subject)
  // their alert and their finding of a response stand beside those of its incident
  const beside = name === 'Alertmanager' || name === 'Security Hub' ? 1 : 0

  it('are told where their incident is, each line once, and leave it as it is', async () => {
    delivery.put(sampleMessage())
    await delivery.run(10_000)
    const before = await at.seen(delivery.now)
    await tell()
    await tell()
    expect(delivery.dead).toEqual([])
    expect(delivery.figures).toMatchObject({ Delivered: 1 + ids.length, Duplicate: ids.length })
    if (at.lines !== undefined) expect(at.lines()).toEqual(ids)
    if (isLog) return
    expect(await threads()).toEqual(Array.from({ length: 1 + beside }, () => subject))
    expect((await at.seen(delivery.now))[0]).toEqual(before[0])
    // the end of the incident is told as ever
    delivery.put(sampleClosed({ revision: 2 }))
    await delivery.run(10_000)
    expect((await at.seen(delivery.now))[0]!.state).toBe('closed')
  })

  it('begin the thread of an incident that is told of later', async () => {
    await tell(story.slice(0, 2))
    delivery.put(sampleMessage())
    await delivery.run(10_000)
    await tell(story.slice(2))
    expect(delivery.dead).toEqual([])
    if (at.lines !== undefined) expect(at.lines().toSorted()).toEqual(ids)
    if (!isLog) expect(await threads()).toEqual(Array.from({ length: 1 + beside }, () => subject))
  })

  it('come once although answers are lost', async () => {
    delivery.put(sampleMessage())
    await delivery.run(10_000)
    let posts = 0
    at.server.fault = ({ method }) => (method !== 'GET' && posts++ % 2 === 0 ? 'lost' : undefined)
    for (const [type, message] of story) {
      delivery.say(type, message)
      await delivery.run(10 * minute)
    }
    expect(delivery.dead).toEqual([])
    if (!isLog) expect(await threads()).toEqual(Array.from({ length: 1 + beside }, () => subject))
    if (at.lines !== undefined && !repeatsWhatWasLost) expect(at.lines().toSorted()).toEqual(ids)
  })

  it('come once when all come together, to many copies of the function', async () => {
    // turns under the limit would move the clock while others tell
    at = { ...at, destination: { ...at.destination, rate: { messages: 1000, perMs: 1000 } } }
    await open()
    delivery.put(sampleMessage())
    for (const _ of [1, 2]) for (const [type, message] of story) delivery.say(type, message)
    await delivery.runTogether()
    await delivery.run(10 * minute)
    expect(delivery.dead).toEqual([])
    expect(delivery.figures['Delivered']).toBe(1 + ids.length)
    if (at.lines !== undefined) expect(at.lines().toSorted()).toEqual(ids)
    if (!isLog) expect(await threads()).toEqual(Array.from({ length: 1 + beside }, () => subject))
  })

  it('ask nobody for what nobody can approve any more', async () => {
    at.server.fault = () => ({ status: 500, body: 'oops' })
    delivery.say(...story[0]!)
    await delivery.run(10_000)
    at.server.fault = () => undefined
    await delivery.run(60 * minute)
    delivery.say('Response Planned', { ...sampleAwaiting, id: `${sampleAwaiting.response}-9` })
    await delivery.run(10 * minute)
    expect(delivery.figures['Superseded']).toBeGreaterThan(0)
    expect(delivery.dead).toEqual([])
  })

  it('hold no markup and no secret, whatever names an attacker chose', async () => {
    delivery.put(sampleMessage())
    await delivery.run(10_000)
    const hostile =
      '<!channel> <https://evil.example|x> @everyone ``` {jndi:x} [a](javascript:b) \u202e \u0007 hostile-marker password=hunter2hunter2'
    await tell([
      [
        'Response Planned',
        {
          ...sampleAwaiting,
          ...{ text: hostile, rule: hostile },
          target: { namespace: hostile, name: hostile, uid: 'u' },
          approve: { ...sampleAwaiting.approve!, does: [hostile] },
        },
      ],
      ['Response Failed', sampleResponse(1, { text: hostile, next: hostile })],
    ])
    expect(delivery.dead.map(({ reason }) => reason)).toEqual([])
    const sent = at.server.requests.map(({ body }) => body.toString()).join('\n')
    expect(decodeURIComponent(sent.replaceAll('%', '%25'))).toContain('hostile-marker')
    expect(sent).not.toContain('hunter2')
    expect(sent).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u202e]/)
    expect(at.markup?.() ?? []).toEqual([])
  })
})

describe('the ledger', () => {
  it('tells each line once, whatever the state store does between', async () => {
    const failure = fc.option(fc.constantFrom<WriteFailure>('refused', 'unanswered', 'overtaken'), {
      ...{ nil: undefined, freq: 2 },
    })
    const slack = cases.find(({ name }) => name === 'Slack with a bot')!
    await fc.assert(
      fc.asyncProperty(fc.array(failure, { maxLength: 25 }), async (failures) => {
        const at = await slack.start()
        try {
          const { make, destination, secret } = at
          const delivery = await VirtualDelivery.open({
            ...{ make, destination, secret, secrets: secrets.client },
            store: new FailingStore(failures),
          })
          delivery.put(sampleMessage())
          const [, ...lasting] = story
          for (const [type, message] of lasting) {
            delivery.say(type, message)
            delivery.say(type, message)
          }
          await delivery.run(300 * minute)
          expect(at.lines!().toSorted()).toEqual(ids.slice(1))
          expect((await at.seen(delivery.now)).map((one) => one.subject)).toEqual([subject])
        } finally {
          await at.stop()
        }
      }),
      { numRuns: 60 },
    )
  })
})
