import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { runLanner } from '#testing/run-lanner.ts'
import type { BusEvent } from '../infra/local/event-bus.ts'
import { type LocalStack, startLocal } from '../infra/local/start-local.ts'
import { topology } from '../infra/topology/index.ts'
import { setOf } from '../lambdas/shared/rule-sets/assignment.ts'
import { RuleBucket } from './rule-bucket.ts'

let stack: LocalStack
let bucket: RuleBucket
let events: BusEvent[] = []
const directory = mkdtempSync(join(tmpdir(), 'lanner-publish-'))

beforeAll(async () => {
  stack = await startLocal(topology, { stages: [] })
  bucket = new RuleBucket(stack.clients.s3, 'lanner-rules')
  await stack.listen('bus', { source: ['lanner'] }, (event) => events.push(event))
  for (const [service, url] of Object.entries(stack.endpoints)) {
    vi.stubEnv(`AWS_ENDPOINT_URL_${service.toUpperCase()}`, url)
  }
  const credentials = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
  }
  for (const [name, value] of Object.entries(credentials)) vi.stubEnv(name, value)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await stack.stop()
  rmSync(directory, { recursive: true, force: true })
})
afterEach(() => {
  events = []
})

const rule = (name: string, condition = 'evt.type = execve') =>
  `- rule: ${name}\n  desc: a test\n  condition: ${condition}\n  output: "%proc.name"\n  priority: NOTICE\n`
function rules(text: string): string {
  const path = join(directory, 'rules.yaml')
  writeFileSync(path, text)
  return path
}
async function lanner(...args: string[]) {
  const said = await runLanner(...args)
  await stack.bus.settle()
  return said
}
const publish = (text: string, ...more: string[]) =>
  lanner('rules', 'publish', rules(text), '--bucket', 'lanner-rules', ...more)
const rollback = () => lanner('rules', 'rollback', '--bucket', 'lanner-rules')
const inForce = async (cluster: string) => setOf(await bucket.assignment(), cluster)
const hashIn = (err: string) => /[0-9a-f]{64}/.exec(err)?.[0]

describe('rules publish and rules rollback', () => {
  it('put a set into force, say who did it and what changed, and take it back', async () => {
    const first = await publish(rule('one') + rule('two'))
    expect(first).toMatchObject({ code: 0 })
    expect(await inForce('any')).toBe(hashIn(first.err))
    const second = await publish(rule('one', 'evt.type = openat') + rule('three'))
    expect(second.err).toContain('added: three\n  removed: two\n  changed: one\n')
    expect(await inForce('any')).toBe(hashIn(second.err))
    expect(events.map((event) => event['detail-type'])).toEqual([
      'Rules Published',
      'Rules Published',
    ])
    expect(events[1]!.detail).toMatchObject({
      actor: expect.stringMatching(/^arn:aws:/),
      set: hashIn(second.err),
      changes: { added: ['three'], removed: ['two'], changed: ['one'] },
    })

    expect((await rollback()).code).toBe(0)
    expect(await inForce('any')).toBe(hashIn(first.err))
    expect(events.at(-1)!['detail-type']).toBe('Rules Rolled Back')
    expect((await rollback()).code).toBe(0)
    expect(await inForce('any')).toBeUndefined()
    expect(await rollback()).toMatchObject({
      code: 1,
      err: expect.stringContaining('no publication'),
    })
  })

  it('leave everything as it was when there is a mistake', async () => {
    const before = await bucket.assignment()
    const bad = await publish(rule('one', 'evt.tpye = execve'))
    expect(bad.code).toBe(1)
    expect(bad.err).toContain('evt.tpye')
    expect(await bucket.assignment()).toEqual(before)
    expect(events).toEqual([])
    expect((await publish(rule('x'), '--canary', '0%')).code).toBe(2)
    expect((await publish(rule('x'), '--canary', '10%')).err).toContain('--clusters')
    expect((await lanner('rules', 'publish', rules(rule('x')))).code).toBe(2)
  })

  it('begin with a share of clusters, always the same, and leave the others alone', async () => {
    const old = hashIn((await publish(rule('old'))).err)
    const clusters = Array.from({ length: 10 }, (_, at) => `c${at}`)
    const some = await publish(rule('new'), '--clusters', clusters.join(','), '--canary', '20%')
    const fresh = hashIn(some.err)
    const withFresh = async () => {
      const sets = await Promise.all(clusters.map(inForce))
      return clusters.filter((_, at) => sets[at] === fresh)
    }
    const two = await withFresh()
    expect(two).toHaveLength(2)
    expect(await inForce('other')).toBe(old)
    await publish(rule('new'), '--clusters', clusters.join(','), '--canary', '50%')
    const five = await withFresh()
    expect(five).toHaveLength(5)
    expect(five).toEqual(expect.arrayContaining(two))
  })

  it('write what nodes filter by, as a ConfigMap for Git', async () => {
    const path = join(directory, 'configmap.yaml')
    expect((await publish(rule('one'), '--configmap', path)).code).toBe(0)
    expect(parse(readFileSync(path, 'utf8'))).toMatchObject({
      kind: 'ConfigMap',
      metadata: { name: 'lanner-rules' },
      data: { '000-rules.yaml': rule('one') },
    })
    const shown = await publish(rule('one'), '--configmap', '-')
    expect(parse(shown.out).data['000-rules.yaml']).toBe(rule('one'))
  })
})
