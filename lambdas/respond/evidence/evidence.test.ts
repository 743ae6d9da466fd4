import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { S3Client } from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sha256 } from '../plan/plan.ts'
import { headOf, type Manifest, verifyEvidence, withEntry } from './manifest.ts'
import { processTree } from './process-tree.ts'
import { redacted, redactObject, redactText } from './redact.ts'
import { S3Evidence } from './s3-evidence.ts'

const objects = new Map<string, Uint8Array>()
const empty: Manifest = {
  ...{ version: 1, response: 'r', incident: 'i', cluster: 'c', planHash: 'h' },
  ...{ redacted: true, missing: [], entries: [] },
}
function manifestOf(texts: readonly string[]): Manifest {
  return texts.reduce((manifest, text, i) => {
    const bytes = Buffer.from(text)
    const key = `evidence/${i}`
    objects.set(key, bytes)
    const entry = { name: `${i}`, key, size: bytes.length, sha256: sha256(bytes) }
    return withEntry(manifest, { ...entry, collectedAt: '2026-01-01T00:00:00Z', call: 'GET /' })
  }, empty)
}
const problems = async (manifest: unknown, head?: string) =>
  (await verifyEvidence(JSON.stringify(manifest), async (key) => objects.get(key), head)).problems

describe('evidence', () => {
  it('is as it was, or says what is not', async () => {
    const manifest = manifestOf(['a', 'b', 'c'])
    const head = headOf(manifest)
    const { entries } = manifest
    expect(await problems(manifest, head)).toEqual([])
    expect(await problems({ ...manifest, entries: entries.slice(0, 2) }, head)).toHaveLength(1)
    expect(await problems({ ...manifest, entries: [entries[0], entries[2]] }, head)).not.toEqual([])
    expect(
      await problems({ ...manifest, entries: [entries[1], entries[0], entries[2]] }),
    ).not.toEqual([])
    expect(await problems({ ...manifest, planHash: 'x' }, head)).not.toEqual([])
    expect(await problems({ ...manifest, missing: ['x'] }, head)).not.toEqual([])
    expect(await problems(manifestOf(['a', 'b', 'd']), head)).toHaveLength(1)
    expect(await problems('x')).toHaveLength(1)
    expect(await problems(null)).toHaveLength(1)
    objects.delete('evidence/1')
    expect(await problems(manifest, head)).toContain('evidence/1 is gone')
  })

  it('shows any change of any byte of the manifest', async () => {
    const manifest = manifestOf(['a', 'b'])
    const text = JSON.stringify(manifest)
    const head = headOf(manifest)
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.constantFrom(...'0aZ"}'), async (at, char) => {
        const changed = text.slice(0, at) + char + text.slice(at + 1)
        const { problems } = await verifyEvidence(changed, async (key) => objects.get(key), head)
        let isSame = false
        try {
          isSame = JSON.stringify(JSON.parse(changed)) === text
        } catch {
          // no JSON any more
        }
        expect(problems.length === 0).toBe(isSame)
      }),
      { numRuns: 300 },
    )
  })
})

describe('what is secret', () => {
  it('is not kept of objects: values of the environment and what repeats them', () => {
    const pod = {
      metadata: {
        managedFields: [{}],
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'hunter2', a: 'b' },
      },
      spec: {
        containers: [
          {
            name: 'app',
            env: [
              { name: 'P', value: 'hunter2' },
              { name: 'Q', valueFrom: { secretKeyRef: { name: 's' } } },
            ],
            args: ['--password=hunter2'],
          },
        ],
      },
    }
    const text = JSON.stringify(redactObject(pod))
    expect(text).not.toMatch(/hunter2|managedFields/)
    expect(text).toContain('"name":"P"')
    expect(text).toContain('secretKeyRef')
  })

  it.each([
    'password=hunter2',
    'DB_PASSWORD: "hunter2"',
    'Authorization: Bearer hunter2hunter2',
    'https://user:hunter2@example.org',
    'api_key = hunter2,',
    `-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----`,
    `key id ${'AKIA'}HUNTER2HUNTER2HH`,
  ])('is not kept of text: %j', (text) => {
    expect(redactText(text)).toContain(redacted)
    expect(redactText(text).toLowerCase()).not.toContain('hunter2')
  })

  it('takes no longer for hostile text', () => {
    const hostile = [
      'password',
      '://a:',
      'eyJ'.repeat(3),
      '-----BEGIN PRIVATE KEY-----',
      'token = ',
    ]
    for (const part of hostile) {
      const start = performance.now()
      redactText(part.repeat(20_000))
      expect(performance.now() - start, part).toBeLessThan(2000)
    }
  })
})

it('a process tree has each process once, with the rules it set off', () => {
  const detection = (rule: string, ...names: string[]) =>
    ({
      rule,
      lanner: {
        lineage: names.map((name, i) => ({ pid: names.length - i, name, exe: `/${name}` })),
      },
    }) as never
  expect(
    processTree([
      detection('A', 'xmrig', 'sh'),
      detection('B', 'xmrig', 'sh'),
      detection('C', 'sh'),
    ]),
  ).toMatchObject([
    { name: 'sh', rules: ['C'], children: [{ name: 'xmrig', rules: ['A', 'B'], children: [] }] },
  ])
})

describe('a bucket of evidence', () => {
  /** As S3 answers conditional writes; the emulator at hand does not know them. */
  const kept = new Map<string, Buffer>()
  const server = createServer(async (request, response) => {
    const key = request.url!.split('?')[0]!
    if (request.method === 'GET') {
      const body = kept.get(key)
      if (body !== undefined) response.writeHead(200).end(body)
      else response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>')
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (request.headers['if-none-match'] === '*' && kept.has(key)) {
      response.writeHead(412).end('<Error><Code>PreconditionFailed</Code></Error>')
      return
    }
    kept.set(key, Buffer.concat(chunks))
    response.writeHead(200).end()
  })
  let s3: S3Client
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    s3 = new S3Client({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      ...{ region: 'us-east-1', forcePathStyle: true, maxAttempts: 1 },
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      requestHandler: new NodeHttpHandler(),
    })
  })
  afterAll(() => {
    s3.destroy()
    server.close()
  })

  it('keeps what was there first, and says when it cannot keep', async () => {
    const evidence = new S3Evidence(s3, 'evidence')
    expect(await evidence.get('evidence/a')).toBeUndefined()
    await evidence.putOnce('evidence/a', Buffer.from('first'))
    await evidence.putOnce('evidence/a', Buffer.from('second'))
    expect(Buffer.from((await evidence.get('evidence/a'))!).toString()).toContain('first')
    await new Promise((resolve) => server.close(resolve))
    await expect(evidence.putOnce('evidence/b', Buffer.from('x'))).rejects.toThrow()
  })
})
