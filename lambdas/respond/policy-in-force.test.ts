import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testCredentials } from '#testing/aws/faults.ts'
import { type Front, s3Error, startFront } from '#testing/aws/front.ts'
import { startStorageAndMessages } from '../../infra/local/emulators/fauxqs.ts'
import { NotInForce } from './machine/ports.ts'
import { PolicyInForce } from './policy-in-force.ts'

let storage: Awaited<ReturnType<typeof startStorageAndMessages>>
let front: Front
let s3: S3Client
let isAway = false
let bucket = ''
let buckets = 0
let now = 0
let problems: string[] = []
let requests = 0

beforeAll(async () => {
  storage = await startStorageAndMessages()
  front = await startFront(storage.endpoint, async () => {
    requests += 1
    return isAway ? s3Error(503, 'SlowDown', 'reduce your request rate') : undefined
  })
  s3 = new S3Client({
    ...{ endpoint: front.endpoint, region: 'us-east-1', credentials: testCredentials },
    ...{ forcePathStyle: true, maxAttempts: 1 },
  })
})
afterAll(async () => {
  s3.destroy()
  await front.stop()
  await storage.stop()
})
beforeEach(async () => {
  isAway = false
  problems = []
  now = 0
  buckets += 1
  bucket = `policies-${buckets}`
  await s3.send(new CreateBucketCommand({ Bucket: bucket }))
})

const put = (Key: string, Body: string) =>
  s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }))
const open = () =>
  new PolicyInForce({
    ...{ s3, bucket, now: () => now },
    onProblem: (problem) => void problems.push(problem),
  })

describe('the policy in force', () => {
  it('is none where none is published, and is looked at again after half a minute', async () => {
    const inForce = open()
    await inForce.refresh()
    expect(inForce.policy).toMatchObject({ rules: [], modes: [] })
    await put('responses.yaml', '- {mode: approve}')
    const before = requests
    now = 29_999
    await inForce.refresh()
    expect(requests).toBe(before)
    expect(inForce.policy.modes).toEqual([])
    now = 30_000
    await inForce.refresh()
    expect(inForce.policy.modes).toMatchObject([{ mode: 'approve' }])
    expect(problems).toEqual([])
  })

  it('stays when it cannot be read or has a mistake; one file does not hold up the other', async () => {
    const inForce = open()
    await put('responses.yaml', '- {mode: approve}')
    await inForce.refresh()
    isAway = true
    now += 30_000
    await inForce.refresh()
    expect(inForce.policy.modes).toHaveLength(1)
    expect(problems).toEqual([
      'policy and clusters cannot be read, those before stay in force: reduce your request rate',
    ])
    isAway = false
    now += 30_000
    await put('clusters.json', '{"a": {"server": "http://x"}}')
    await put('responses.yaml', '- {mode: auto}')
    await inForce.refresh()
    expect(inForce.policy.modes).toMatchObject([{ mode: 'auto' }])
    expect(inForce.clusters.size).toBe(0)
    expect(problems.at(-1)).toMatch(
      /^clusters\.json:1:18: error: server is no https.*; .*caPem is missing.*: the one before stays/,
    )
  })

  it('is not known to whoever only ever met one with a mistake: it is waited for', async () => {
    await put('responses.yaml', '- {mode: approv}')
    await put('clusters.json', '{')
    const inForce = open()
    await inForce.refresh()
    expect(() => inForce.policy).toThrow(NotInForce)
    expect(() => inForce.clusters).toThrow('clusters.json could not be read yet, or has a mistake')
    expect(problems.join()).toContain('nothing that needs it goes on until it is mended')
    await put('responses.yaml', '- {mode: approve}')
    now += 30_000
    await inForce.refresh()
    expect(inForce.policy.modes).toHaveLength(1)
    expect(() => inForce.clusters).toThrow(NotInForce)
  })

  it('is not taken for none when it could never be read', async () => {
    isAway = true
    const inForce = open()
    await expect(inForce.refresh()).rejects.toThrow('reduce your request rate')
    isAway = false
    await put('responses.yaml', '- {mode: approve}')
    await inForce.refresh()
    expect(inForce.policy.modes).toHaveLength(1)
  })
})
