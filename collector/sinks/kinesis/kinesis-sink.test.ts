import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { noFaults } from '#testing/kinesis/faults.ts'
import { startKinesis, type TestKinesis, testCredentials } from '#testing/kinesis/start-kinesis.ts'
import type { OutgoingBatch } from '../batch-sink.ts'
import { KinesisSink, type KinesisSinkOptions } from './kinesis-sink.ts'

let kinesis: TestKinesis
let stream = ''
const sinks: KinesisSink[] = []
const never = new AbortController().signal

beforeAll(async () => {
  kinesis = await startKinesis()
})
afterAll(() => kinesis.stop())
beforeEach(async () => {
  stream = `s${Math.random().toString(36).slice(2)}`
  await kinesis.createStream(stream, 2)
})
afterEach(async () => {
  Object.assign(kinesis.faults, noFaults)
  for (const sink of sinks.splice(0)) await sink.close()
})

function makeSink(options: Partial<KinesisSinkOptions> = {}): KinesisSink {
  const sink = new KinesisSink({
    stream,
    region: 'eu-west-1',
    endpoint: kinesis.endpoint,
    credentials: testCredentials,
    ...options,
  })
  sinks.push(sink)
  return sink
}

const outgoing = (sequence: number, size = 50): OutgoingBatch => ({
  node: 'node-1',
  sequence,
  bytes: new Uint8Array(size).fill(sequence),
})

describe('a Kinesis sink', () => {
  it('puts each batch as one record under the name of its node', async () => {
    const batches = [outgoing(1), outgoing(2), outgoing(3)]
    const outcomes = await makeSink().send(batches, never)
    expect(outcomes).toEqual([{ kind: 'sent' }, { kind: 'sent' }, { kind: 'sent' }])
    const records = await kinesis.readAll(stream)
    expect(records.map(({ data }) => data)).toEqual(batches.map(({ bytes }) => bytes))
    expect(new Set(records.map(({ partitionKey }) => partitionKey))).toEqual(new Set(['node-1']))
    expect(new Set(records.map(({ shardId }) => shardId)).size).toBe(1)
  })

  it('tells which records of a request are throttled', async () => {
    let at = 0
    kinesis.faults.throttle = () => at++ % 2 === 1
    const outcomes = await makeSink().send(
      [1, 2, 3, 4].map((n) => outgoing(n)),
      never,
    )
    expect(outcomes.map(({ kind }) => kind)).toEqual(['sent', 'throttled', 'sent', 'throttled'])
    expect(outcomes[1]).toMatchObject({ message: expect.stringContaining('Provisioned') })
    expect((await kinesis.readAll(stream)).map(({ data }) => data[0])).toEqual([1, 3])
  })

  it('refuses what cannot be a stream', () => {
    expect(() => makeSink({ stream: 'arn:aws:kinesis:x' })).toThrow(/cannot be a Kinesis stream/)
  })

  it('refuses a record that is too large, and sends the others', async () => {
    const sizes = [10, 1 << 20, (1 << 20) - 'node-1'.length]
    const outcomes = await makeSink().send(
      sizes.map((size, n) => outgoing(n, size)),
      never,
    )
    expect(outcomes.map(({ kind }) => kind)).toEqual(['sent', 'refused', 'sent'])
    expect(await kinesis.readAll(stream)).toHaveLength(2)
  })

  it('does not retry by itself', async () => {
    kinesis.faults.error = { status: 500, code: 'InternalFailure' }
    const before = kinesis.counts.requests
    await makeSink().send([outgoing(1)], never)
    expect(kinesis.counts.requests - before).toBe(1)
  })
})

describe('a stream of another account', () => {
  const owner = '111111111111'
  const arnOf = (name: string, account = owner) =>
    `arn:aws:kinesis:eu-west-1:${account}:stream/${name}`
  beforeEach(() => {
    kinesis.faults.owners = new Map([[stream, owner]])
  })

  it('is not there by its name alone', async () => {
    const [outcome] = await makeSink().send([outgoing(1)], never)
    expect(outcome).toMatchObject({
      kind: 'denied',
      message: expect.stringContaining(`Kinesis stream ${stream}: ResourceNotFoundException`),
    })
  })

  it('takes batches by its ARN, with everything else as by a name', async () => {
    let at = 0
    kinesis.faults.throttle = () => at++ === 1
    const sink = makeSink({ stream: arnOf(stream) })
    const outcomes = await sink.send([outgoing(1), outgoing(2), outgoing(3)], never)
    expect(outcomes.map(({ kind }) => kind)).toEqual(['sent', 'throttled', 'sent'])
    expect((await kinesis.readAll(stream)).map(({ data }) => data[0])).toEqual([1, 3])
  })

  it('is named in errors so that its account and region can be read', async () => {
    const sink = makeSink({ stream: arnOf(stream, '222222222222') })
    const [outcome] = await sink.send([outgoing(1)], never)
    expect(outcome).toMatchObject({ kind: 'denied' })
    expect(outcome).toMatchObject({
      message: expect.stringContaining(
        `Kinesis stream ${stream} of account 222222222222 in eu-west-1: ResourceNotFound`,
      ),
    })
  })

  it('must be in the region that is given', () => {
    expect(() => makeSink({ stream: arnOf(stream), region: 'us-east-1' })).toThrow(
      /in eu-west-1, not in us-east-1/,
    )
  })

  it.each([
    ['aws', 'eu-central-1', `${owner}.data-kinesis.eu-central-1.amazonaws.com`],
    ['aws-cn', 'cn-north-1', `${owner}.data-kinesis.cn-north-1.amazonaws.com.cn`],
    ['aws-us-gov', 'us-gov-west-1', `${owner}.data-kinesis.us-gov-west-1.amazonaws.com`],
  ])(
    'is looked for at its account and region (%s), whatever the environment says',
    async (partition, region, host) => {
      const asked: string[] = []
      const proxy = createServer()
      proxy.on('connect', ({ url }, socket) => {
        asked.push(String(url))
        socket.destroy()
      })
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
      const { port } = proxy.address() as AddressInfo
      vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${port}`)
      vi.stubEnv('AWS_REGION', 'us-east-1')
      const sink = new KinesisSink({
        stream: `arn:${partition}:kinesis:${region}:${owner}:stream/s`,
        credentials: testCredentials,
      })
      sinks.push(sink)
      expect(await sink.send([outgoing(1)], never)).not.toEqual([{ kind: 'sent' }])
      expect(asked).toEqual([`${host}:443`])
      vi.unstubAllEnvs()
      proxy.close()
    },
  )
})

describe('a proxy in the environment', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  it('is used', async () => {
    vi.stubEnv('HTTP_PROXY', kinesis.endpoint)
    const sink = makeSink({ endpoint: 'http://kinesis.invalid' })
    expect(await sink.send([outgoing(1)], never)).toEqual([{ kind: 'sent' }])
  })

  it('is not used for what NO_PROXY names', async () => {
    vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:9')
    vi.stubEnv('NO_PROXY', '127.0.0.1')
    expect(await makeSink().send([outgoing(1)], never)).toEqual([{ kind: 'sent' }])
  })
})

describe('a request that fails', () => {
  it.each([
    ['throttled', 400, 'ProvisionedThroughputExceededException'],
    ['throttled', 400, 'KMSThrottlingException'],
    ['failed', 500, 'InternalFailure'],
    ['failed', 503, 'ServiceUnavailable'],
    ['denied', 400, 'AccessDeniedException'],
    ['denied', 400, 'UnrecognizedClientException'],
    ['denied', 400, 'ExpiredTokenException'],
    ['denied', 400, 'KMSDisabledException'],
    ['denied', 403, 'SomethingNew'],
  ])('is %s for %i %s', async (kind, status, code) => {
    kinesis.faults.error = { status, code, message: 'the reason' }
    const outcomes = await makeSink().send([outgoing(1), outgoing(2)], never)
    expect(outcomes.map((outcome) => outcome.kind)).toEqual([kind, kind])
    expect(outcomes[0]).toMatchObject({ message: `Kinesis stream ${stream}: ${code}: the reason` })
  })

  it('is denied for a stream that is not there', async () => {
    const [outcome] = await makeSink({ stream: 'nowhere' }).send([outgoing(1)], never)
    expect(outcome).toMatchObject({
      kind: 'denied',
      message: expect.stringMatching(/ResourceNotFoundException/),
    })
  })

  it('is refused only when the service names the data of a record', async () => {
    const data = "1 validation error detected: Value at 'records.1.member.data' failed to satisfy"
    kinesis.faults.error = { status: 400, code: 'ValidationException', message: data }
    expect(await makeSink().send([outgoing(1)], never)).toMatchObject([{ kind: 'refused' }])
    const name = "1 validation error detected: Value 'x' at 'streamName' failed to satisfy"
    kinesis.faults.error = { status: 400, code: 'ValidationException', message: name }
    expect(await makeSink().send([outgoing(1)], never)).toMatchObject([{ kind: 'denied' }])
  })

  it.each(['before', 'after'] as const)('is unreachable when cut %s it is served', async (drop) => {
    kinesis.faults.drop = drop
    expect(await makeSink().send([outgoing(1)], never)).toMatchObject([{ kind: 'unreachable' }])
    expect(await kinesis.readAll(stream)).toHaveLength(drop === 'after' ? 1 : 0)
  })

  it('is unreachable when nobody listens, or no such host is known', async () => {
    const closed = makeSink({ endpoint: 'http://127.0.0.1:9' })
    expect(await closed.send([outgoing(1)], never)).toMatchObject([
      { kind: 'unreachable', message: expect.stringMatching(/ECONNREFUSED/) },
    ])
    const unknown = makeSink({ endpoint: 'http://nowhere.invalid' })
    expect(await unknown.send([outgoing(1)], never)).toMatchObject([{ kind: 'unreachable' }])
  })

  it('is unreachable when the answer takes too long, and when it is broken off', async () => {
    kinesis.faults.delayMs = 5000
    const slow = makeSink({ requestTimeoutMs: 50 })
    expect(await slow.send([outgoing(1)], never)).toMatchObject([
      { kind: 'unreachable', message: expect.stringMatching(/ETIMEDOUT/) },
    ])
    const signal = AbortSignal.timeout(50)
    expect(await makeSink().send([outgoing(1)], signal)).toMatchObject([{ kind: 'unreachable' }])
  })

  it('is denied in words when there are no credentials', async () => {
    const { credentials: _, ...options } = { stream, region: 'eu-west-1', credentials: undefined }
    const none = {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/nonexistent',
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
    }
    for (const [name, value] of Object.entries(none)) vi.stubEnv(name, value)
    const sink = new KinesisSink({ ...options, endpoint: kinesis.endpoint })
    sinks.push(sink)
    expect(await sink.send([outgoing(1)], never)).toMatchObject([
      {
        kind: 'denied',
        message: expect.stringMatching(/^no AWS credentials from EKS Pod Identity, IRSA/),
      },
    ])
    vi.unstubAllEnvs()
  })

  it('finds credentials in the environment when none are given', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'a')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'b')
    const sink = new KinesisSink({ stream, region: 'eu-west-1', endpoint: kinesis.endpoint })
    sinks.push(sink)
    expect(await sink.send([outgoing(1)], never)).toEqual([{ kind: 'sent' }])
    vi.unstubAllEnvs()
  })
})

describe('a step of the clock', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([-1, 1])('by %i hours costs one request', async (hours) => {
    kinesis.faults.maxSkewMs = 300_000
    const sink = makeSink()
    expect(await sink.send([outgoing(1)], never)).toEqual([{ kind: 'sent' }])
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * 3_600_000 })
    expect(await sink.send([outgoing(2)], never)).toMatchObject([
      { kind: 'failed', message: expect.stringMatching(/Signature expired/) },
    ])
    expect(await sink.send([outgoing(2)], never)).toEqual([{ kind: 'sent' }])
  })
})
