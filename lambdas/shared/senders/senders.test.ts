import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { StateStore } from '#correlate'
import { testCredentials } from '#testing/aws/faults.ts'
import { startDynamo, type TestDynamo } from '#testing/dynamodb/start-dynamo.ts'
import { MemoryStore } from '#testing/memory-store.ts'
import { DynamoStateStore } from '../dynamo-store.ts'
import { type SenderRecord, Senders, type SendersOptions } from './senders.ts'
import { recordOf, start, TestIssuer, TestSensor, unsigned } from './testing/samples.ts'

const prod = new TestIssuer('prod')
const dev = new TestIssuer('dev')
const issuers = [
  { issuer: prod.issuer, cluster: 'prod' },
  { issuer: dev.issuer, cluster: 'dev' },
]
let fetches = 0
let now = start
const fetchKeys = async (issuer: string) => {
  fetches += 1
  return issuer === prod.issuer ? prod.keys() : dev.keys()
}

let store: StateStore
const make = (more: Partial<SendersOptions> = {}) =>
  new Senders({ store, issuers, enrolled: [], fetchKeys, now: () => now, ...more })

/** State and what is told, in short. */
async function judged(senders: Senders, ...records: SenderRecord[]) {
  const verdicts = await senders.judge(records)
  return verdicts.map(({ sender, findings }) => [
    sender,
    ...findings.map(({ rule, cluster, node }) => `${rule} | ${cluster} | ${node}`),
  ])
}

const verified = [['verified']]
const bySignature = (claim: string) => [['mismatched', `${claim} | prod | `]]

let dynamo: TestDynamo
beforeAll(async () => {
  dynamo = await startDynamo()
  await dynamo.createTable('state')
})
afterAll(() => dynamo.stop())
beforeEach(() => {
  now = start
  fetches = 0
})

describe.each(['memory', 'DynamoDB'])('who sent a batch, with state in %s', (kind) => {
  let tables = 0
  beforeEach(async () => {
    if (kind === 'memory') store = new MemoryStore()
    else {
      const table = `senders-${tables++}`
      await dynamo.createTable(table)
      const { endpoint } = dynamo
      store = new DynamoStateStore({
        ...{ table, endpoint, region: 'us-east-1', credentials: testCredentials },
      })
    }
  })

  it('is its node, once its token vouched for the key, for every function', async () => {
    const sensor = new TestSensor()
    const token = await prod.token('a')
    const senders = make()
    expect(await judged(senders, sensor.record({}, token))).toEqual(verified)
    expect(await judged(senders, sensor.record({ sequence: 1 }))).toEqual(verified)
    expect(await judged(make(), sensor.record({ sequence: 2 }))).toEqual(verified)
    expect(fetches).toBe(1)
  })

  it('is known by an announcement that comes later in the same call', async () => {
    const sensor = new TestSensor()
    const late = sensor.record({}, await prod.token('a'))
    expect(await judged(make(), sensor.record({ sequence: 1 }), late)).toEqual([
      ['verified'],
      ['verified'],
    ])
  })

  it('is somebody else when a second key comes with a good token, and the first stays', async () => {
    const first = new TestSensor()
    const second = new TestSensor()
    const token = await prod.token('a')
    await make().judge([first.record({}, token)])
    expect(await judged(make(), second.record({ sequence: 1 }, token))).toEqual(
      bySignature('Sensor key changed within a run'),
    )
    expect(await judged(make(), second.record({ sequence: 2 }))).toEqual(
      bySignature('Batch signed by an unknown key'),
    )
    expect(await judged(make(), first.record({ sequence: 1 }))).toEqual(verified)
  })

  it('is one of many when functions bind a run at once: the first wins, for all', async () => {
    const token = await prod.token('a')
    const sensors = Array.from({ length: 6 }, () => new TestSensor())
    const answers = await Promise.all(
      sensors.map((sensor) => make().judge([sensor.record({}, token)])),
    )
    const states = answers.map(([verdict]) => verdict!.sender)
    expect(states.filter((state) => state === 'verified')).toHaveLength(1)
    const winner = sensors[states.indexOf('verified')]!
    expect(await judged(make(), winner.record({ sequence: 9 }))).toEqual(verified)
  })

  it('is the same when records come again', async () => {
    const sensor = new TestSensor()
    const records = [sensor.record({}, await prod.token('a')), sensor.record({ sequence: 1 })]
    const senders = make()
    const once = await senders.judge(records)
    expect(await senders.judge(records)).toEqual(once)
    expect(await make().judge(records.toReversed())).toEqual(once)
  })

  it('is known for as long as the run goes on, and forgotten a month after', async () => {
    const sensor = new TestSensor()
    await make().judge([sensor.record({}, await prod.token('a'))])
    for (let day = 1; day <= 60; day += 1) {
      now = start + day * 86_400
      expect(await judged(make(), sensor.record({ sequence: day }))).toEqual(verified)
    }
    now += 31 * 86_400
    expect(await judged(make(), sensor.record({ sequence: 61 }))).toEqual([
      ['unverified', 'Sensor does not prove its node | prod | '],
    ])
  })
})

describe('a node that claims another name', () => {
  beforeEach(() => {
    store = new MemoryStore()
  })
  const victim = new TestSensor()
  /** On node b, with what node b has. */
  const tokenOfB = () => prod.token('b')
  const isCaught = [['mismatched', 'Sensor claims to be another node | prod | b']]

  it('is told by its own name: a run of its own', async () => {
    const attacker = new TestSensor({ run: 66n })
    expect(await judged(make(), attacker.record({}, await tokenOfB()))).toEqual(isCaught)
  })

  it('is told by its own name: the run of its victim', async () => {
    const senders = make()
    await senders.judge([victim.record({}, await prod.token('a'))])
    const attacker = new TestSensor()
    expect(await judged(senders, attacker.record({ sequence: 1 }, await tokenOfB()))).toEqual(
      isCaught,
    )
    expect(await judged(senders, victim.record({ sequence: 1 }))).toEqual(verified)
  })

  it('is told by its own name: also with batches that announce nothing', async () => {
    const senders = make()
    const attacker = new TestSensor({ run: 66n })
    await senders.judge([attacker.record({}, await tokenOfB())])
    for (const one of [senders, make()]) {
      expect(await judged(one, attacker.record({ run: 67n, sequence: 4 }))).toEqual(isCaught)
    }
    expect(await judged(senders, attacker.record({ node: 'b', run: 68n }))).toEqual([
      ['unverified', 'Sensor does not prove its node | prod | '],
    ])
    // Somebody else who uses the name of its key is not meant.
    const other = new TestSensor({ run: 69n, keyId: attacker.info.keyId })
    expect(await judged(senders, other.record())).toEqual([
      ['unverified', 'Sensor does not prove its node | prod | '],
    ])
  })

  it('is told by its own name: before its victim was ever heard', async () => {
    const senders = make()
    const attacker = new TestSensor()
    await senders.judge([attacker.record({}, await tokenOfB())])
    expect(await judged(senders, victim.record({}, await prod.token('a')))).toEqual(verified)
  })

  it('gains nothing from being verified under its own name', async () => {
    const senders = make()
    const attacker = new TestSensor({ node: 'b' })
    expect(await judged(senders, attacker.record({}, await tokenOfB()))).toEqual(verified)
    expect(await judged(senders, attacker.record({ node: 'a', sequence: 1 }))).toEqual([
      ['unverified', 'Sensor does not prove its node | prod | '],
    ])
    await senders.judge([victim.record({}, await prod.token('a'))])
    expect(await judged(senders, attacker.record({ node: 'a', sequence: 1 }))).toEqual(
      bySignature('Batch signed by an unknown key'),
    )
  })

  it.each(['prod', 'none'])('is told by its own name: another cluster, %s', async (cluster) => {
    const attacker = new TestSensor({ cluster, node: 'a' })
    expect(await judged(make(), attacker.record({}, await dev.token('a')))).toEqual([
      ['mismatched', 'Sensor claims to be another node | dev | a'],
    ])
  })

  it('cannot announce the key of its victim: it does not have it', async () => {
    const attacker = new TestSensor({ keyId: victim.info.keyId })
    const { publicKey } = victim
    const record = attacker.record({}, await tokenOfB(), { publicKey })
    expect(await judged(make(), record)).toEqual(bySignature('Batch signature is wrong'))
  })

  it('cannot put the announcement of its victim behind its own batch', async () => {
    const token = await prod.token('a')
    const attacker = new TestSensor()
    const { publicKey } = victim
    expect(await judged(make(), attacker.record({}, token, { publicKey }))).toEqual(
      bySignature('Batch signature is wrong'),
    )
    const senders = make()
    await senders.judge([victim.record({}, token)])
    expect(await judged(senders, attacker.record({}, token, { publicKey }))).toEqual(
      bySignature('Batch signed by an unknown key'),
    )
  })

  it('cannot change a batch of its victim, nor send it as of another run', async () => {
    const senders = make()
    const good = victim.record({}, await prod.token('a'))
    await senders.judge([good])
    for (let at = 8; at < good.batch.length; at += 7) {
      const batch = good.batch.slice()
      batch[at]! ^= 1
      let record: SenderRecord
      try {
        record = recordOf(batch)
      } catch {
        continue
      }
      const [verdict] = await senders.judge([record])
      expect(verdict!.sender, `byte ${at}`).not.toBe('verified')
      expect(verdict!.findings.every(({ node }) => node === '')).toBe(true)
    }
  })

  it('cannot speak without a signature', async () => {
    const record = unsigned(victim.info)
    expect(await judged(make(), record)).toEqual(bySignature('Batch without signature'))
    const senders = make()
    await senders.judge([victim.record({}, await prod.token('a'))])
    expect(await judged(senders, record)).toEqual(bySignature('Batch without signature'))
  })

  it('is never in what is told of it but as a claim, and no token is', async () => {
    const token = await tokenOfB()
    const attacker = new TestSensor({ node: 'a"\n\u001b[31m' })
    const [verdict] = await make().judge([attacker.record({}, token)])
    const [finding] = verdict!.findings
    expect(finding).toMatchObject({
      priority: 'Critical',
      sender: 'verified',
      fields: { 'claimed.cluster': 'prod', 'claimed.node': 'a"\n\u001b[31m' },
    })
    expect(finding!.text).toContain('"a\\"\\n\\u001b[31m"')
    expect(JSON.stringify(verdict)).not.toContain(token.slice(0, 40))
  })

  it('is told once a call, however many batches it sends', async () => {
    const records = Array.from({ length: 50 }, (_, sequence) =>
      unsigned({ ...victim.info, sequence }),
    )
    const verdicts = await make().judge(records)
    expect(verdicts.every(({ sender }) => sender === 'mismatched')).toBe(true)
    expect(verdicts.flatMap(({ findings }) => findings)).toHaveLength(1)
  })
})

describe('a sensor that cannot prove its node', () => {
  beforeEach(() => {
    store = new MemoryStore()
  })
  const unproven = (reason: RegExp) => ({
    sender: 'unverified',
    findings: [{ node: '', text: expect.stringMatching(reason) as string }],
  })
  const announced = (token: string, senders = make()) =>
    senders.judge([new TestSensor().record({}, token)])

  const cases: [string, () => Promise<string>, RegExp][] = [
    ['has no token', async () => '', /it has no token/],
    ['has one without a node', () => prod.token(undefined), /its token names no node/],
    ['has one that expired', () => prod.token('a', { exp: start - 100 }), /it had expired/],
    ['has one for others', () => prod.token('a', { aud: 'vault' }), /its aud is another/],
    [
      'has the token of another pod on its node',
      () => prod.token('a', { sub: 'system:serviceaccount:default:default' }),
      /its sub is another/,
    ],
    ['has one that does not end', () => prod.token('a', { exp: undefined }), /its exp is another/],
    ['has rubbish', async () => 'rubbish', /nobody trusts its issuer/],
    [
      'has one of an issuer that is not ours',
      () => new TestIssuer('evil').token('a'),
      /nobody trusts its issuer/,
    ],
    [
      'has one that says it is of our issuer',
      () => new TestIssuer('evil').token('a', { iss: prod.issuer }),
      /its issuer has no such key/,
    ],
  ]
  it.each(cases)('%s', async (_, token, reason) => {
    expect(await announced(await token())).toMatchObject([unproven(reason)])
  })

  it('has one that nobody signed, or that our public key is the secret of', async () => {
    const [head, body] = (await prod.token('a')).split('.')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    const kid = JSON.parse(Buffer.from(head!, 'base64url').toString()).kid
    const hmac = Buffer.from(JSON.stringify({ alg: 'HS256', kid })).toString('base64url')
    expect(await announced(`${none}.${body}.`)).toMatchObject([unproven(/no good token/)])
    expect(await announced(`${hmac}.${body}.AAAA`)).toMatchObject([unproven(/no good token/)])
  })

  it('is judged by when its record arrived, not by when it is looked at', async () => {
    const token = await prod.token('a')
    now = start + 20 * 3600
    expect(await judged(make(), new TestSensor().record({}, token))).toEqual(verified)
  })

  it('is told of no further where identity is not set up', async () => {
    const senders = make({ issuers: [] })
    expect(await judged(senders, new TestSensor().record())).toEqual([['unverified']])
    expect(await judged(senders, unsigned(new TestSensor().info))).toEqual([['unverified']])
  })

  it('is told of where identity is set up, but not for its cluster', async () => {
    const stranger = new TestSensor({ cluster: 'other' })
    expect(await judged(make(), stranger.record())).toEqual([
      ['unverified', 'Batch from where nobody vouches |  | '],
    ])
  })
})

describe('keys of issuers', () => {
  beforeEach(() => {
    store = new MemoryStore()
  })
  const fresh = async () =>
    new TestSensor({ run: BigInt(fetches + 100) }).record({}, await prod.token('a'))

  it('are read again when a token has a new one, but not for each such token', async () => {
    const senders = make()
    const runs = async (run: bigint, token: string) =>
      judged(senders, new TestSensor({ run }).record({}, token))
    expect(await runs(1n, await prod.token('a'))).toEqual(verified)
    prod.rotate()
    now += 60
    expect(await runs(2n, await prod.token('a'))).toEqual(verified)
    expect(fetches).toBe(2)
    const forged = await new TestIssuer('evil').token('a', { iss: prod.issuer })
    for (let run = 3n; run < 30n; run += 1n) {
      expect((await runs(run, forged))[0]![0]).toBe('unverified')
    }
    expect(fetches).toBe(2)
  })

  it('serve for a day when the issuer does not answer; then its sensors are not verified', async () => {
    let isDown = false
    const senders = make({
      fetchKeys: async (issuer) => {
        if (isDown) throw new Error('no answer')
        return fetchKeys(issuer)
      },
    })
    expect(await judged(senders, await fresh())).toEqual(verified)
    isDown = true
    now = start + 23 * 3600
    expect(
      await judged(senders, new TestSensor({ run: 7n }).record({}, await prod.token('a'))),
    ).toEqual(verified)
    now = start + 25 * 3600
    const late = new TestSensor({ run: 8n }).record({}, await prod.token('a'))
    expect(await judged(senders, late)).toEqual([
      ['unverified', 'Keys of an issuer cannot be read | prod | '],
    ])
    isDown = false
    now += 60
    expect(await judged(senders, late)).toEqual(verified)
  })

  it('may be given, and are asked of nobody then', async () => {
    const given = [{ issuer: prod.issuer, cluster: 'prod', keys: await prod.keys() }]
    expect(await judged(make({ issuers: given }), await fresh())).toEqual(verified)
    expect(fetches).toBe(0)
  })
})

describe('an enrolled key', () => {
  beforeEach(() => {
    store = new MemoryStore()
  })
  const sensor = new TestSensor({ cluster: 'edge', node: 'box' })
  const publicKey = Buffer.from(sensor.publicKey).toString('base64')
  const enrolled = [{ cluster: 'edge', node: 'box', publicKey }]

  it('is all that its node needs, in each run', async () => {
    const senders = make({ enrolled })
    expect(await judged(senders, sensor.record())).toEqual(verified)
    expect(await judged(senders, sensor.record({ run: 2n, boot: 'boot-2' }))).toEqual(verified)
  })

  it('is the only one that speaks for its node, whatever tokens say', async () => {
    const senders = make({
      enrolled,
      issuers: [...issuers, { issuer: 'https://edge', cluster: 'edge' }],
    })
    const other = new TestSensor({ cluster: 'edge', node: 'box' })
    const mismatched = [['mismatched', 'Batch signed by an unknown key | edge | ']]
    expect(await judged(senders, other.record())).toEqual(mismatched)
    expect(await judged(senders, other.record({}, await prod.token('box')))).toEqual([
      ['mismatched', 'Sensor claims to be another node | prod | box'],
    ])
    expect(await judged(senders, sensor.record({ node: 'box-2' }))).toEqual([
      ['unverified', 'Sensor does not prove its node | edge | '],
    ])
  })

  it('is refused when it is none, with all that are', () => {
    const bad = (publicKey: string, node: string) => ({ cluster: 'edge', node, publicKey })
    expect(() =>
      make({ enrolled: [bad('x', 'one'), ...enrolled, bad(publicKey, 'box'), bad('y', 'two')] }),
    ).toThrow(/"one".*wanted; .*"box".*already; .*"two".*wanted/)
  })
})
