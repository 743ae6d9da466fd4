import { createHash } from 'node:crypto'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { startFauxqs } from 'fauxqs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { encodeArtefact } from '#artefact'
import { testCredentials } from '#testing/aws/faults.ts'
import { artefactKey, assignmentKey, NoRuleSet, RuleSets } from './rule-sets.ts'

let server: Awaited<ReturnType<typeof startFauxqs>>
let s3: S3Client
let bucket = ''
let buckets = 0
let now = 0
let problems: string[] = []

beforeAll(async () => {
  server = await startFauxqs({ port: 0, logger: false })
  s3 = new S3Client({
    ...{ endpoint: `http://127.0.0.1:${server.port}`, region: 'us-east-1' },
    ...{ credentials: testCredentials, forcePathStyle: true, maxAttempts: 1 },
  })
})
afterAll(async () => {
  s3.destroy()
  await server.stop()
})
beforeEach(async () => {
  buckets += 1
  bucket = `rules-${buckets}`
  now = 0
  problems = []
  await s3.send(new CreateBucketCommand({ Bucket: bucket }))
})

const put = (Key: string, Body: string) =>
  s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }))

/** Publishes a set whose ruleset hash is its name; gives the hash of the artefact. */
async function publish(name: string): Promise<string> {
  const text = encodeArtefact({
    ...{ ruleset: name, rules: [], correlations: [], suppressions: [], runbooks: {} },
    runbookOf: {},
  })
  const hash = createHash('sha256').update(text).digest('hex')
  await put(artefactKey(hash), text)
  return hash
}

const assign = (set: string) => put(assignmentKey, JSON.stringify({ default: set }))

let prepared = 0
const open = () =>
  new RuleSets({
    ...{ s3, bucket, now: () => now, onProblem: (problem: string) => void problems.push(problem) },
    prepare: ({ ruleset }) => {
      prepared += 1
      return ruleset
    },
  })

describe('the rule sets in force', () => {
  it('are switched without a restart, once the assignment is looked at again', async () => {
    await assign(await publish('one'))
    const sets = open()
    expect(await sets.of('prod')).toBe('one')
    await assign(await publish('two'))
    expect(await sets.of('prod')).toBe('one')
    now = 30_000
    expect(await sets.of('prod')).toBe('two')
    prepared = 0
    now = 60_000
    await sets.of('prod')
    await sets.of('other')
    expect(prepared).toBe(0)
  })

  it('stay the last good ones when the next is missing, damaged or of a newer format', async () => {
    await assign(await publish('good'))
    const sets = open()
    expect(await sets.of('prod')).toBe('good')
    const missing = 'f'.repeat(64)
    const newer = '{"format":"lanner rules","version":9}'
    const newerHash = createHash('sha256').update(newer).digest('hex')
    await put(artefactKey(newerHash), newer)
    const damaged = await publish('damaged')
    await put(artefactKey(damaged), 'something else')
    for (const hash of [missing, newerHash, damaged]) {
      now += 30_000
      problems = []
      await assign(hash)
      expect(await sets.of('prod')).toBe('good')
      expect(problems).toEqual([`rule set ${hash} of prod cannot be used`])
    }
    now += 30_000
    problems = []
    await put(assignmentKey, 'nonsense')
    expect(await sets.of('prod')).toBe('good')
    expect(problems).toContain('the assignment of rule sets cannot be read')
  })

  it('that are not there at all are an error: silence would look like safety', async () => {
    await expect(open().of('prod')).rejects.toThrow(NoRuleSet)
    await put(assignmentKey, '{}')
    await expect(open().of('prod')).rejects.toThrow(/no rule set is assigned to the cluster "prod"/)
    await assign('e'.repeat(64))
    await expect(open().of('prod')).rejects.toThrow(/cannot be used/)
  })
})
