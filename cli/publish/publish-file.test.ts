import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { stubAws } from '#testing/aws/environment.ts'
import { gate, startFront } from '#testing/aws/front.ts'
import { lannerProcess } from '#testing/lanner-process.ts'
import { runLanner } from '#testing/run-lanner.ts'
import type { BusEvent } from '../../infra/local/event-bus.ts'
import { type LocalStack, startLocal } from '../../infra/local/start-local.ts'
import { topology } from '../../infra/topology/index.ts'
import { PolicyInForce } from '../../lambdas/respond/policy-in-force.ts'
import { RoutesInForce } from '../../lambdas/shared/routes-in-force.ts'
import { readTrustedSenders } from '../../lambdas/shared/trusted-senders.ts'
import { RuleBucket } from '../rule-bucket.ts'

let stack: LocalStack
let bucket: RuleBucket
let environment: Readonly<Record<string, string>>
let events: BusEvent[] = []
let problems: string[] = []
let now = 0
let inForce: PolicyInForce
let routes: RoutesInForce
const directory = mkdtempSync(join(tmpdir(), 'lanner-publish-file-'))

beforeAll(async () => {
  stack = await startLocal(topology, { stages: [] })
  await stack.listen('bus', { source: ['lanner'] }, (event) => events.push(event))
  environment = stubAws(stack.endpoints)
  bucket = new RuleBucket(stack.clients.s3, 'lanner-rules')
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await stack.stop()
  rmSync(directory, { recursive: true, force: true })
})
beforeEach(() => {
  const about = { s3: stack.clients.s3, bucket: 'lanner-rules', now: () => now }
  const onProblem = (problem: string, error?: unknown) => {
    problems.push(error instanceof Error ? `${problem}: ${error.message}` : problem)
  }
  inForce = new PolicyInForce({ ...about, onProblem })
  routes = new RoutesInForce({ ...about, onProblem })
})
afterEach(() => {
  events = []
  problems = []
})

function file(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}
async function lanner(...args: string[]) {
  const said = await runLanner(...args, '--bucket', 'lanner-rules')
  await stack.bus.settle()
  return said
}
/** What functions see when it is time to look again. */
async function policy() {
  now += 30_000
  await inForce.refresh()
  return inForce.policy
}
async function destinationsNow() {
  now += 30_000
  return (await routes.current()).destinations.map(({ name }) => name)
}

const responses = (more = '') => `
- action: Mark
  actionner: kubernetes:label
  parameters: {labels: {a: b}}
- rule: Miner
  match: {rules: [Crypto miner]}
  actions: [{action: Mark}]
${more}`
const auto = '- {mode: auto, clusters: [prod], namespaces: ["web-*"]}\n'
const publish = (text: string, ...more: string[]) =>
  lanner('responses', 'publish', file('responses.yaml', text), ...more)
const cluster = (server = 'https://x', more: object = {}) => ({
  ...{ server, caPem: 'BEGIN CERTIFICATE', region: 'eu-west-1' },
  roles: { read: 'arn:read', ...more },
})

describe('responses', () => {
  it('come into force for functions without a deployment, and are taken back', async () => {
    const first = await publish(responses())
    expect(first).toMatchObject({ code: 0 })
    expect(first.out).toBe('new: "Miner": observe in every cluster, every namespace\n')
    expect((await policy()).rules.map(({ name }) => name)).toEqual(['Miner'])
    const second = await publish(responses('- {mode: approve, clusters: [prod]}\n'))
    expect(second.out).toBe('mode: "Miner": observe -> approve in prod, every namespace\n')
    expect((await policy()).modes).toHaveLength(1)
    expect(events.at(-1)).toMatchObject({
      'detail-type': 'Responses Published',
      detail: {
        ...{ actor: 'arn:aws:iam::000000000000:root', what: 'responses', kind: 'publish' },
        changes: ['mode: "Miner": observe -> approve in prod, every namespace'],
        before: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    })
    const again = await publish(responses('- {mode: approve, clusters: [prod]}\n'))
    expect(again).toMatchObject({ code: 0, err: 'lanner: it is in force already\n' })
    expect(events).toHaveLength(2)

    expect((await lanner('responses', 'rollback')).code).toBe(0)
    expect((await policy()).modes).toEqual([])
    expect(events.at(-1)!['detail-type']).toBe('Responses Rolled Back')
    expect((await lanner('responses', 'rollback')).code).toBe(0)
    expect((await policy()).rules).toEqual([])
    expect(await lanner('responses', 'rollback')).toMatchObject({
      ...{ code: 1, err: 'lanner responses rollback: there is no publication to take back\n' },
    })
    expect(problems).toEqual([])
  })

  it('become automatic only when somebody says that it is meant, also by a rollback', async () => {
    await publish(responses())
    const refused = await publish(responses(auto))
    expect(refused.code).toBe(1)
    expect(refused.out).toContain('automatic: "Miner" becomes automatic in prod, web-*\n')
    expect(refused.err).toContain('--allow-auto')
    expect(await publish(responses(auto), '--dry-run')).toMatchObject({ code: 1 })
    expect((await policy()).modes).toEqual([])
    expect(events).toHaveLength(1)
    expect((await publish(responses(auto), '--allow-auto')).code).toBe(0)
    expect((await policy()).modes).toHaveLength(1)
    expect(events.at(-1)!.detail).toMatchObject({
      automatic: ['"Miner" becomes automatic in prod, web-*'],
    })
    // less is never refused
    expect((await publish(responses())).code).toBe(0)
    const back = await lanner('responses', 'rollback')
    expect(back.code).toBe(1)
    expect(back.out).toContain('automatic: "Miner"')
    expect((await policy()).modes).toEqual([])
    expect((await lanner('responses', 'rollback', '--allow-auto')).code).toBe(0)
    expect((await policy()).modes).toHaveLength(1)
    await publish(responses())
  })

  it('with a mistake are not uploaded; one put there by hand is told, and the one before stays', async () => {
    await publish(responses())
    await policy()
    const before = await bucket.read('responses.yaml')
    const bad = await publish(responses('- {mode: atuo}\n- {mode: off, rules: [Mimer]}\n'))
    expect(bad.code).toBe(1)
    expect(bad.err).toMatch(/responses\.yaml:8:10: error: .*did you mean auto\?/)
    expect(bad.err).toMatch(/responses\.yaml:9:23: error: .*did you mean "Miner"\?/)
    expect(await bucket.read('responses.yaml')).toEqual(before)
    const byHand = { Bucket: 'lanner-rules', Key: 'responses.yaml', Body: '- {mode: atuo}' }
    await stack.clients.s3.send(new PutObjectCommand(byHand))
    expect((await policy()).rules).toHaveLength(1)
    expect(problems.join()).toMatch(/responses\.yaml:1:10: error: .*the one before stays in force/)
    expect((await lanner('responses', 'rollback')).err).toContain('was put there by hand at 20')
    const over = await publish(responses())
    expect(over).toMatchObject({ code: 0 })
    expect(over.out).toContain('what is in force has mistakes')
    const back = await lanner('responses', 'rollback')
    expect(back).toMatchObject({ code: 1 })
    expect(back.err).toContain('publish another instead')
  })

  it('that answer no rule in force are named, with the nearest', async () => {
    const rules = file(
      'r.yaml',
      '- rule: Crypto minor\n  desc: d\n  condition: evt.type = execve\n  output: "%proc.name"\n  priority: NOTICE\n',
    )
    expect((await lanner('rules', 'publish', rules)).code).toBe(0)
    const said = await publish(responses('# other\n'))
    expect(said.code).toBe(0)
    expect(said.err).toMatch(/warning: .*Crypto miner.*Crypto minor/)
    // and the other way round: a rule that an automatic response answers
    const answering = responses(auto).replace('Crypto miner', 'Crypto mining')
    expect((await publish(answering, '--allow-auto')).code).toBe(0)
    const more = file('r.yaml', readFileSync(rules, 'utf8').replace('minor', 'mining'))
    const next = await lanner('rules', 'publish', more)
    expect(next.code).toBe(0)
    expect(next.err).toContain('"Crypto mining" may be answered automatically, by "Miner"')
    expect(events.at(-1)!.detail).toMatchObject({ automatic: [expect.stringContaining('mining')] })
  })

  it('are published over what was looked at, if that is asked for', async () => {
    await publish(responses())
    const looked = await publish(responses('- {mode: off}\n'), '--dry-run')
    const [, over] = /--over (\S+)/.exec(looked.err)!
    await publish(responses('- {mode: approve}\n'))
    const late = await publish(responses('- {mode: off}\n'), '--over', over!)
    expect(late.code).toBe(1)
    expect(late.err).toMatch(/root published at .*\n {2}mode: "Miner": observe -> approve in every/)
    const json = await publish(responses('- {mode: off}\n'), '--dry-run', '--json')
    const { over: there, ...rest } = JSON.parse(json.out)
    expect(rest).toMatchObject({ automatic: [], refused: false, published: false })
    expect((await publish(responses('- {mode: off}\n'), '--over', there)).code).toBe(0)
  })

  it('of two who publish at the same moment are those of one; the other is told', async () => {
    await publish(responses())
    const wait = gate(2)
    const front = await startFront(stack.endpoints.s3, async ({ method, path }) => {
      if (method === 'PUT' && path.startsWith('/lanner-rules/responses.yaml')) await wait()
      return undefined
    })
    const paths = ['off', 'approve'].map((mode) => {
      return file(`${mode}.yaml`, responses(`- {mode: ${mode}, clusters: [race]}\n`))
    })
    const env = { ...environment, AWS_ENDPOINT_URL_S3: front.endpoint }
    const said = await Promise.all(
      paths.map((path) =>
        lannerProcess(['responses', 'publish', path, '--bucket', 'lanner-rules'], env),
      ),
    )
    await front.stop()
    expect(said.map(({ code }) => code).sort()).toEqual([0, 1])
    const won = said[0]!.code === 0 ? 'off' : 'approve'
    expect((await policy()).modes).toMatchObject([{ mode: won }])
    const { err } = said.find(({ code }) => code === 1)!
    expect(err).toContain('somebody was first')
    expect(err).toContain(`-> ${won} in race`)
  })
})

describe('routes', () => {
  const routing = (to: string, more = '') => `
destinations:
  - {destination: ${to}, kind: sns, topic: 'arn:aws:sns:eu-central-1:123456789012:${to}'}
routes:
  - {route: all, to: [${to}]}
${more}default: {to: ${to}}
`
  it('show what is gone and new, come into force, and are taken back', async () => {
    const path = (text: string) => file('routes.yaml', text)
    const good = await lanner(
      'routes',
      'publish',
      path(routing('chat', '  - {route: more, to: [chat]}\n')),
    )
    expect(good).toMatchObject({ code: 0 })
    expect(await destinationsNow()).toEqual(['chat'])
    const next = await lanner('routes', 'publish', path(routing('pager')))
    expect(next.out.split('\n')).toEqual([
      'gone: route "more" -> chat',
      'changed: route "all": chat -> pager',
      'default: chat -> pager',
      'gone: destination chat (sns)',
      'new: destination pager (sns)',
      '',
    ])
    expect(await destinationsNow()).toEqual(['pager'])
    expect((await lanner('routes', 'rollback')).code).toBe(0)
    expect(await destinationsNow()).toEqual(['chat'])
    const last = await lanner('routes', 'rollback')
    expect(last).toMatchObject({ code: 1 })
    expect(last.err).toContain('there were no routes before')
    const bad = await lanner(
      'routes',
      'publish',
      path(routing('chat').replace('to: [chat]', 'to: [chta]')),
    )
    expect(bad.code).toBe(1)
    expect(bad.err).toMatch(/routes\.yaml:5:\d+: error: .*chat/)
    const byHand = { Bucket: 'lanner-rules', Key: 'routes.yaml', Body: 'nonsense' }
    await stack.clients.s3.send(new PutObjectCommand(byHand))
    expect(await destinationsNow()).toEqual(['chat'])
    expect(problems.join()).toContain('those of before stay in force')
  })
})

describe('clusters', () => {
  const path = (clusters: object) => file('clusters.json', JSON.stringify(clusters, null, 1))
  it('show what changes, and let automatic responses into none by accident', async () => {
    await publish(responses(auto), '--allow-auto')
    const dev = await lanner('clusters', 'publish', path({ dev: cluster() }))
    expect(dev).toMatchObject({ code: 0, out: 'new: cluster dev at https://x\n' })
    await policy()
    expect([...inForce.clusters.keys()]).toEqual(['dev'])
    const both = path({ dev: cluster('https://x', { mark: 'arn:m' }), prod: cluster() })
    const refused = await lanner('clusters', 'publish', both)
    expect(refused.code).toBe(1)
    expect(refused.out).toBe(
      'changed: cluster dev: role mark: none -> arn:m\nnew: cluster prod at https://x\nautomatic: "Miner" is automatic in prod, web-*\n',
    )
    expect((await lanner('clusters', 'publish', both, '--allow-auto')).code).toBe(0)
    expect((await lanner('clusters', 'rollback')).out).toContain('gone: cluster prod')
    await policy()
    expect([...inForce.clusters.keys()]).toEqual(['dev'])
    const bad = await lanner(
      'clusters',
      'publish',
      path({ dev: { ...cluster(), roles: { raed: 'x' } } }),
    )
    expect(bad.code).toBe(1)
    expect(bad.err).toMatch(/clusters\.json:7:4: error: .*did you mean read\?/)
  })
})

describe('senders', () => {
  const path = (senders: object) => file('senders.json', JSON.stringify(senders, null, 1))
  const read = () => readTrustedSenders(stack.clients.s3, 'lanner-rules')
  const issuer = { issuer: 'https://oidc.x/id/A', cluster: 'prod' }
  it('say who is believed from now on, and come into force for the function that judges', async () => {
    expect(await read()).toEqual({ issuers: [], enrolled: [] })
    const first = await lanner('senders', 'publish', path({ issuers: [issuer] }))
    expect(first).toMatchObject({
      ...{ code: 0, out: `believed from now on: issuer ${issuer.issuer} for cluster prod\n` },
    })
    expect(events.map((event) => event['detail-type'])).toContain('Senders Published')
    expect(await read()).toEqual({ issuers: [issuer], enrolled: [] })
    const bad = await lanner('senders', 'publish', path({ issuers: [{ ...issuer, subjct: 'x' }] }))
    expect(bad.code).toBe(1)
    expect(bad.err).toMatch(/senders\.json:6:4: error: .*did you mean subject\?/)
    expect(await read()).toEqual({ issuers: [issuer], enrolled: [] })
    const back = await lanner('senders', 'rollback')
    expect(back.out).toContain(`not believed any more: issuer ${issuer.issuer}`)
    expect(await read()).toEqual({ issuers: [], enrolled: [] })
  })
})
