import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { StateStore } from '#correlate'
import type { IncidentMessage } from '../../lambdas/shared/bus-messages.ts'
import { FailingStore, type WriteFailure } from '../failing-store.ts'
import {
  makeAuthority,
  makeClientCertificate,
  makeServerCertificate,
} from '../kubernetes/certificate.ts'
import { type Case, cases, type Seen } from './cases/index.ts'
import type { Received } from './fault-server.ts'
import { sampleClosed, sampleDetection, sampleIncident, sampleMessage } from './sample-messages.ts'
import { startTestSecrets, type TestSecrets, VirtualDelivery } from './virtual-delivery.ts'

const minute = 60_000
const hour = 60 * minute
const subject = '1'.repeat(64)

let secrets: TestSecrets
beforeAll(async () => {
  secrets = await startTestSecrets()
})
afterAll(() => secrets.stop())

/** Messages of one incident, from its opening to its end. */
const opened = sampleMessage()
const escalated = sampleMessage({ revision: 2, priority: 'Emergency', count: 5 }, 'escalated')
const doubled = sampleMessage({ revision: 3, priority: 'Emergency', count: 12 }, 'doubled')
const closed = sampleClosed({ revision: 4, priority: 'Emergency', count: 12 })

describe.each(cases)('$name', ({ start, repeatsWhatWasLost, isLog, isAws }) => {
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

  const seen = async (): Promise<readonly Seen[]> => at.seen(delivery.now)
  const once = [{ subject, state: 'open' }]

  it('shows an incident from its opening to its end', async () => {
    for (const message of [opened, escalated, closed]) {
      delivery.put(message)
      await delivery.run(10_000)
    }
    const all = await seen()
    expect(delivery.dead).toEqual([])
    expect(delivery.figures['Delivered']).toBe(3)
    expect(all.every((one) => one.subject === subject)).toBe(true)
    if (isLog) expect(all.length).toBeGreaterThanOrEqual(2)
    // what burned under a lower severity was ended with it
    else expect(new Set(all.map(({ state }) => state))).toEqual(new Set([finalState(at)]))
  })

  it('takes whatever an attacker writes, and sees no secret and no markup in it', async () => {
    for (const message of hostileMessages()) {
      delivery.put(message)
      await delivery.run(10_000)
    }
    expect(delivery.dead.map(({ reason }) => reason)).toEqual([])
    expect(delivery.figures['Failed']).toBeUndefined()
    const sent = at.server.requests.map(({ body }) => shown(body)).join('\n')
    for (const planted of plantedSecrets) expect(sent).not.toContain(planted)
    // the test would be blind if nothing of these texts arrived
    expect(sent).toContain('hostile-marker')
    expect(sent).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u202e]/)
    expect(at.markup?.() ?? []).toEqual([])
  })

  it('waits as long as it is asked to', async () => {
    let refusals = 0
    let early = 0
    let from = 0
    at.server.fault = () => {
      if (refusals > 0 && delivery.now < from + 120_000) early += 1
      if (refusals >= 2) return undefined
      refusals += 1
      from = delivery.now
      return {
        ...{ status: 429, headers: { 'retry-after': '120' } },
        body: JSON.stringify({ __type: 'ThrottlingException', message: 'slow down' }),
      }
    }
    // the SDKs of AWS have no header that we could see: they ask for what we choose
    if (isAws) early = Number.NEGATIVE_INFINITY
    delivery.put(opened)
    await delivery.run(10_000)
    // what comes in the meantime waits too
    delivery.put(sampleMessage({ id: '2'.repeat(64) }))
    await delivery.run(10 * minute)
    expect(early).toBeLessThanOrEqual(0)
    expect((await seen()).length).toBe(2)
    expect(delivery.said).toEqual([])
  })

  it('outlasts an hour of errors, tells people once, and shows the newest in the end', async () => {
    const end = delivery.now + hour
    at.server.fault = () => (delivery.now < end ? { status: 500, body: 'oops' } : undefined)
    delivery.put(opened)
    await delivery.run(20 * minute)
    delivery.put(escalated)
    await delivery.run(40 * minute)
    const during = at.server.requests.length
    expect(during).toBeGreaterThan(5)
    // one attempt every few minutes, not one for each message and second
    expect(during).toBeLessThan(40)
    await delivery.run(20 * minute)
    expect(await seen()).toEqual(once)
    expect(delivery.dead).toEqual([])
    expect(delivery.said.map(({ state }) => state)).toEqual(['failing', 'back'])
    expect(delivery.figures['Failed']).toBe(delivery.figures['Failed'] ?? 0)
  })

  it('gives up on a slow answer, and shows it once all the same', async () => {
    let slow = 0
    at.server.fault = ({ method }) => (method !== 'GET' && slow++ === 0 ? 'slow' : undefined)
    delivery.put(opened)
    await delivery.run(10 * minute)
    const found = await seen()
    expect(found.length).toBe(repeatsWhatWasLost ? 2 : 1)
    expect(delivery.figures).toMatchObject({ Delivered: 1, Failed: 1 })
  })

  it('shows once what was taken although the answer was lost', async () => {
    let posts = 0
    at.server.fault = ({ method }) => (method !== 'GET' && posts++ % 2 === 0 ? 'lost' : undefined)
    for (const message of [opened, escalated]) {
      delivery.put(message)
      await delivery.run(10 * minute)
    }
    const found = await seen()
    if (!isLog) expect(found.filter(({ state }) => state === 'open')).toEqual(once)
    else if (!repeatsWhatWasLost) expect(found.length).toBe(2)
    expect(delivery.dead).toEqual([])
  })

  it('shows once, and the newest, whatever the state store does between', async () => {
    const failure = fc.option(fc.constantFrom<WriteFailure>('refused', 'unanswered', 'overtaken'), {
      nil: undefined,
      freq: 2,
    })
    const runs = process.env['LANNER_LONG'] === '1' ? 80 : 8
    await fc.assert(
      fc.asyncProperty(fc.array(failure, { maxLength: 12 }), async (failures) => {
        await at.stop()
        at = await start(undefined, () => delivery.now)
        await open(new FailingStore(failures))
        delivery.put(opened)
        await delivery.run(hour)
        delivery.put(escalated)
        await delivery.run(2 * hour)
        const found = await seen()
        expect(delivery.dead).toEqual([])
        if (!isLog) expect(found.filter(({ state }) => state === 'open')).toEqual(once)
        else if (!repeatsWhatWasLost) expect(found.length).toBe(2)
        else expect(found.length).toBeGreaterThanOrEqual(2)
      }),
      { numRuns: runs },
    )
  })

  it('with wrong credentials: people are told once, little is asked, nothing is lost', async () => {
    const members = at.changeLogin()
    delivery.put(opened)
    delivery.put(sampleMessage({ id: '2'.repeat(64) }))
    await delivery.run(2 * hour)
    expect(delivery.said.map(({ state }) => state)).toEqual(['refused'])
    // each of them asks a few times a minute at most while it looks for another secret
    expect(at.server.requests.length).toBeLessThan(2 * 12 * 4 + 8)
    expect(delivery.dead).toEqual([])
    at.server.fault = () => undefined
    await delivery.rotate(members)
    await delivery.run(hour)
    const subjects = (await seen()).map((one) => one.subject)
    expect(subjects).toContain(subject)
    expect(subjects.length).toBe(2)
    expect(delivery.said.map(({ state }) => state)).toEqual(['refused', 'back'])
  })

  it('when it is deleted: people are told once, and the message is kept in the end', async () => {
    await at.remove()
    delivery.put(opened)
    await delivery.run(26 * hour)
    expect(delivery.said.map(({ state }) => state)).toEqual([
      isAws && at.destination.kind !== 'sns' ? 'refused' : 'gone',
    ])
    expect(delivery.dead.map(({ envelope }) => envelope.detail)).toEqual([opened])
    expect(delivery.figures['GivenUp']).toBe(1)
    expect(at.server.requests.length).toBeLessThan(26 * 12 * 3)
  })

  it('whatever comes twice and in whatever order, shows each incident once, at its newest', async () => {
    const messages = [opened, escalated, doubled, closed]
    const order = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 4, maxLength: 9 })
    const runs = process.env['LANNER_LONG'] === '1' ? 60 : 6
    await fc.assert(
      fc.asyncProperty(order, fc.boolean(), async (drawn, together) => {
        await at.stop()
        at = await start(undefined, () => delivery.now)
        await open()
        for (const number of drawn) {
          delivery.put(messages[number]!)
          if (together) continue
          await delivery.run(2000)
        }
        if (together) await delivery.runTogether()
        await delivery.run(30 * minute)
        const newest = messages[Math.max(...drawn)]!
        const found = await seen()
        expect(delivery.dead).toEqual([])
        const shown = delivery.figures['Delivered'] ?? 0
        expect(shown).toBeLessThanOrEqual(new Set(drawn).size)
        expect(shown).toBeGreaterThan(0)
        if (isLog) expect(found.length).toBeLessThanOrEqual(new Set(drawn).size)
        else {
          const state = newest === closed ? finalState(at) : 'open'
          const visible = at.destination.kind === 'alertmanager' ? burning(found, state) : found
          expect(visible).toEqual([{ subject, state }])
        }
      }),
      { numRuns: runs },
    )
  })

  it.skipIf(isAws)(
    'trusts the authorities that it is told to, and shows the certificate of ours',
    async () => {
      await at.stop()
      const [authority, clients] = [makeAuthority('theirs'), makeAuthority('ours')]
      const own = makeClientCertificate(clients, 'lanner')
      const tls = { server: makeServerCertificate(authority), clients }
      at = await start(tls, () => delivery.now)
      const takesOurs = at.destination.kind !== 'slack'
      const { destination } = at
      const mutual = { certificate: own.certificatePem, 'private-key': own.keyPem }
      // nobody vouches for it
      at = { ...at, secret: { ...at.secret, ...mutual } }
      await open()
      delivery.put(opened)
      await delivery.run(minute)
      expect(delivery.said).toMatchObject([
        { state: 'refused', text: expect.stringMatching(/TLS/) },
      ])
      expect(at.server.requests).toEqual([])
      if (!takesOurs) return
      const trusted = { ...destination, authorities: authority.certificatePem }
      at = { ...at, destination: trusted }
      await open()
      delivery.put(opened)
      await delivery.run(minute)
      expect(await seen()).toEqual(once)
    },
  )
})

/** Tickets and alerts end with their incident; a finding keeps its state as text. */
function finalState(_: Case): 'closed' {
  return 'closed'
}

/** Alerts that burn no more, under the labels of before, are not seen. */
function burning(found: readonly Seen[], state: 'open' | 'closed'): Seen[] {
  const open = found.filter((one) => one.state === 'open')
  if (open.length > 0 || state === 'open') return open
  return found.slice(0, 1) as Seen[]
}

const plantedSecrets = [
  ...['hunter2-flag', 'hunter2-url', 'AKIAIOSFODNN7EXAMPLE', 'hunter2-env', 'hunter2-header'],
  ...['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0', 'hunter2-label', 'hunter2-far'],
]

function hostileMessages(): IncidentMessage[] {
  const secrets = [
    ...['psql --password hunter2-flag', 'https://me:hunter2-url@example.com/x'],
    ...['AKIAIOSFODNN7EXAMPLE', 'authorization: Bearer hunter2-header9'],
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl',
  ]
  const markups = [
    ...[
      '<!channel> <@U123> <https://evil.example|click>',
      '@everyone @octocat #1 ![x](https://evil.example/p.png)',
    ],
    ...[
      '```\n# head\n``` `code` ~~~',
      '</code><script>alert(1)</script>',
      '{{template}} $ {jndi:ldap://x}',
      '*_~',
    ],
    ...[
      '\u001b[31mred\u0000\u0007\u202egnp.exe',
      '{code}{panel}[~admin]h1.',
      '"\\\'\n\r\t,;|',
      '\ud800',
    ],
  ]
  const texts = [
    ...secrets,
    ...markups,
    ...secrets.map((secret) => `${'a '.repeat(5000)}${secret}`),
  ]
  const all = texts.map((text) => `hostile-marker ${text}`)
  const huge = `hostile-marker ${'x'.repeat(1 << 20)} --password hunter2-far`
  const wide = `hostile-marker ${'&<>`*@'.repeat(3000)}`
  return [...all, huge, wide, secrets.join(' ; '), markups.join('')].map((text, at) => {
    const detection = sampleDetection({
      output: `18:20:01.1: Critical ${text}`,
      output_fields: {
        ...{ 'proc.cmdline': text, 'proc.name': text, 'fd.rip': text, 'user.uid': 0 },
        ...{ 'proc.env': `PATH=/bin X=hunter2-env ${text.slice(0, 100)}` },
      },
    })
    const incident = sampleIncident()
    const named = `${text.slice(0, 70_000)}`
    return sampleMessage(
      {
        id: at.toString(16).padStart(64, '0'),
        title: named,
        lineage: [{ pid: 1, name: named, exe: named }],
        pod: {
          ...{ ...incident.pod!, name: named, workload: `Deployment/${named}` },
          labels: { team: named, 'api-token': 'hunter2-label' },
        },
        container: { id: 'x', name: named, image: named },
        rules: { [named]: 1 },
        tags: ['T1059.004', named, 'mitre_execution'],
        members: { first: [], last: [] },
      },
      'opened',
      detection,
    )
  })
}

/** What a receiver reads: escapes of JSON undone, form encoding too. */
function shown(body: Received['body']): string {
  const text = body.toString('utf8')
  const plain = /^[\w%+.=&*-]+$/.test(text) ? decodeURIComponent(text.replaceAll('+', ' ')) : text
  return plain.replace(/\\u([0-9a-f]{4})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
}
