import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { stubAws } from '#testing/aws/environment.ts'
import { gate, startFront } from '#testing/aws/front.ts'
import { lannerProcess } from '#testing/lanner-process.ts'
import { runLanner } from '#testing/run-lanner.ts'
import type { BusEvent } from '../infra/local/event-bus.ts'
import { type LocalStack, startLocal } from '../infra/local/start-local.ts'
import { topology } from '../infra/topology/index.ts'
import { setOf } from '../lambdas/shared/rule-sets/assignment.ts'
import { RuleBucket } from './rule-bucket.ts'

let stack: LocalStack
let bucket: RuleBucket
let events: BusEvent[] = []
let environment: Readonly<Record<string, string>> = {}
const directory = mkdtempSync(join(tmpdir(), 'lanner-publish-'))

beforeAll(async () => {
  stack = await startLocal(topology, { stages: [] })
  bucket = new RuleBucket(stack.clients.s3, 'lanner-rules')
  await stack.listen('bus', { source: ['lanner'] }, (event) => events.push(event))
  environment = stubAws(stack.endpoints)
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

describe('two who publish at the same moment', () => {
  /** Two processes, each of which has read what is in force before either writes it. */
  async function atOnce(...commands: readonly (readonly string[])[]) {
    const wait = gate(commands.length)
    const front = await startFront(stack.endpoints.s3, async ({ method, path }) => {
      if (method === 'PUT' && path.startsWith('/lanner-rules/assignment.json')) await wait()
      return undefined
    })
    try {
      const env = { ...environment, AWS_ENDPOINT_URL_S3: front.endpoint }
      const said = await Promise.all(commands.map((args) => lannerProcess(args, env)))
      await stack.bus.settle()
      return said
    } finally {
      await front.stop()
    }
  }
  const file = (name: string) => {
    const path = join(directory, `${name}.yaml`)
    writeFileSync(path, rule(name))
    return path
  }
  const publishing = (name: string, ...more: string[]) => {
    return ['rules', 'publish', file(name), '--bucket', 'lanner-rules', ...more]
  }

  it('for the same clusters: one of them is told of the other and changes nothing', async () => {
    const before = await bucket.assignment()
    const said = await atOnce(publishing('left'), publishing('right'))
    expect(said.map(({ code }) => code).sort()).toEqual([0, 1])
    const [winner, loser] = said[0]!.code === 0 ? ['left', 'right'] : ['right', 'left']
    const won = said.find(({ code }) => code === 0)!
    expect(await inForce('any')).toBe(hashIn(won.err))
    const { err } = said.find(({ code }) => code === 1)!
    expect(err).toContain('somebody was first, and nothing of yours is in force')
    expect(err).toMatch(/arn:aws:iam::000000000000:root published at 20/)
    expect(err).toContain(`  added: ${winner}`)
    expect(err).not.toContain(`added: ${loser}`)
    expect(events).toHaveLength(1)
    // what lost is no step of the history
    expect((await rollback()).code).toBe(0)
    expect(await bucket.assignment()).toEqual(before)
  })

  it('for different clusters: both are in force, and each is taken back by itself', async () => {
    const said = await atOnce(
      publishing('east', '--clusters', 'e'),
      publishing('west', '--clusters', 'w'),
    )
    expect(said.map(({ code }) => code)).toEqual([0, 0])
    expect(said.map(({ err }) => err).join('')).toContain('in between, for other clusters: arn:aws')
    expect(await inForce('e')).toBe(hashIn(said[0]!.err))
    expect(await inForce('w')).toBe(hashIn(said[1]!.err))
    await rollback()
    const left = [await inForce('e'), await inForce('w')]
    expect(said.filter(({ err }, at) => left[at] === hashIn(err))).toHaveLength(1)
  })

  it('and one that takes back: whoever is second is told', async () => {
    await publish(rule('last'))
    const taking = ['rules', 'rollback', '--bucket', 'lanner-rules']
    const said = await atOnce(publishing('next'), taking)
    expect(said.map(({ code }) => code).sort()).toEqual([0, 1])
    expect(said.map(({ err }) => err).join('')).toContain('somebody was first')
  })

  it('does not take its own write for that of somebody else when the answer is lost', async () => {
    let lost = 0
    const front = await startFront(stack.endpoints.s3, async ({ method, path }) => {
      const isIt = method === 'PUT' && path.startsWith('/lanner-rules/assignment.json')
      return isIt && lost++ === 0 ? 'lost' : undefined
    })
    const env = { ...environment, AWS_ENDPOINT_URL_S3: front.endpoint }
    const said = await lannerProcess(publishing('once'), env)
    await front.stop()
    expect(said).toMatchObject({ code: 0 })
    expect(lost).toBe(2)
    expect(await inForce('any')).toBe(hashIn(said.err))
  })

  it('says by hand what was put there by hand', async () => {
    let other: string | undefined = JSON.stringify({ default: 'a'.repeat(64) })
    const front = await startFront(stack.endpoints.s3, async ({ method, path }) => {
      if (method === 'PUT' && path.startsWith('/lanner-rules/assignment.json') && other) {
        await bucket.assign(JSON.parse(other))
        other = undefined
      }
      return undefined
    })
    const env = { ...environment, AWS_ENDPOINT_URL_S3: front.endpoint }
    const said = await lannerProcess(publishing('over'), env)
    await front.stop()
    expect(said.code).toBe(1)
    expect(said.err).toMatch(/it was put there by hand at 20/)
    expect(await inForce('any')).toBe('a'.repeat(64))
  })
})
