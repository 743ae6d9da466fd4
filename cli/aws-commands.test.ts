import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { awsEnvironment } from '#testing/aws/environment.ts'
import { type FrontAnswer, s3Error, startFront } from '#testing/aws/front.ts'
import { startSts, type TestSts } from '#testing/aws/start-sts.ts'
import { lannerProcess } from '#testing/lanner-process.ts'
import { type LocalStack, startLocal } from '../infra/local/start-local.ts'
import { topology } from '../infra/topology/index.ts'
import { RuleBucket } from './rule-bucket.ts'

const ann = {
  ...{ accessKeyId: 'AKIAANN', secretAccessKey: 'a secret of ann' },
  arn: 'arn:aws:sts::123456789012:assumed-role/Responders/ann',
}
const bob = {
  ...{ accessKeyId: 'AKIABOB', secretAccessKey: 'a secret of bob' },
  arn: 'arn:aws:sts::123456789012:assumed-role/Guests/bob',
}
const directory = mkdtempSync(join(tmpdir(), 'lanner-aws-commands-'))
const file = (name: string, text: string) => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}
const good = {
  responses: file('responses.yaml', '- {mode: observe}\n'),
  routes: file(
    'routes.yaml',
    "destinations:\n  - {destination: soc, kind: sns, topic: 'arn:aws:sns:eu-west-1:123456789012:soc'}\ndefault: {to: soc}\n",
  ),
  clusters: file('clusters.json', '{}'),
  rules: file(
    'rules.yaml',
    '- rule: R\n  desc: d\n  condition: evt.type = execve\n  output: "%proc.name"\n  priority: NOTICE\n',
  ),
}
const publishing = (what: keyof typeof good, bucket = 'lanner-rules') => {
  return [what, 'publish', good[what], '--bucket', bucket]
}
const plan = ['--plan', 'a'.repeat(64)]
/** What asks the bucket of rules, and what asks the responding function. */
const bucketCommands = [
  publishing('rules'),
  publishing('responses'),
  publishing('routes'),
  publishing('clusters'),
  ['rules', 'rollback', '--bucket', 'lanner-rules'],
  ['responses', 'rollback', '--bucket', 'lanner-rules'],
] as const
const functionCommands = [
  ['approve', 'r1'],
  ['approve', 'r1', ...plan],
  ['approve', 'r1', '--release'],
  ['respond', 'stop', '--reason', 'x'],
] as const
const commands = [...bucketCommands, ...functionCommands]
const called = (list: readonly (readonly string[])[]) =>
  list.map((args) => [args.filter((arg) => !arg.startsWith('/')).join(' '), args] as const)

let stack: LocalStack
let sts: TestSts
let environment: Readonly<Record<string, string>>

beforeAll(async () => {
  sts = await startSts({ users: [ann, bob] })
  stack = await startLocal(topology, {
    ...{ stages: ['respond'], schedules: false, endpoints: { sts: sts.endpoint } },
    overrides: { env: { respond: { APPROVERS: ann.arn } } },
  })
  environment = { ...awsEnvironment(stack.endpoints), AWS_ENDPOINT_URL_STS: stack.endpoints.s3 }
})
afterAll(async () => {
  await stack.stop()
  await sts.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** Runs it, and sees to it that it says something for people. */
async function run(args: readonly string[], env: Readonly<Record<string, string>>) {
  const said = await lannerProcess(args, env)
  expect(said.err).not.toMatch(/\n\s+at |node:internal/)
  return said
}
/** All of the environment but a few variables. */
function without(...names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !names.includes(name)))
}

describe.concurrent('without AWS', () => {
  it.each(called(commands))(
    '%s says that there are no credentials, and exits with 2',
    async (_, args) => {
      const said = await run(args, without('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'))
      expect(said).toMatchObject({ code: 2, out: '' })
      expect(said.err).toMatch(/^lanner \w+( \w+)?: there are no AWS credentials: set AWS_PROFILE/)
    },
  )

  it.each(called([publishing('responses'), functionCommands[1], functionCommands[3]]))(
    '%s says that there is no region',
    async (_, args) => {
      const said = await run(args, without('AWS_REGION'))
      expect(said).toMatchObject({ code: 2 })
      expect(said.err).toContain('there is no AWS region: set AWS_REGION')
    },
  )

  it.each(called([...bucketCommands, functionCommands[0]]))(
    '%s says that the network is away',
    async (_, args) => {
      const nowhere = Object.entries(environment).map(([name, value]) => {
        return [name, name.startsWith('AWS_ENDPOINT_URL') ? 'http://127.0.0.1:9' : value]
      })
      const said = await run(args, Object.fromEntries(nowhere))
      expect(said).toMatchObject({ code: 2 })
      expect(said.err).toMatch(/AWS does not answer: .*ECONNREFUSED 127\.0\.0\.1:9/)
    },
  )
})

describe.concurrent('with arguments that are wrong', () => {
  it.each([
    [['responses', 'publish'], 'which file?'],
    [['responses', 'publish', good.responses], '--bucket NAME is needed'],
    [['routes', 'publish', '/nowhere', '--bucket', 'b'], 'ENOENT'],
    [['clusters', 'publish', 'a', 'b', '--bucket', 'b'], 'unexpected argument "b"'],
    [['responses', 'publish', 'a', '--allow-atuo'], 'did you mean --allow-auto?'],
    [['responses', 'pubilsh', 'a'], 'did you mean "responses publish"?'],
    [['clusters', 'rollback'], '--bucket NAME is needed'],
    [['routes', 'rollback', 'x', '--bucket', 'b'], 'unexpected argument "x"'],
    [['approve'], 'the id of a response is missing'],
    [['approve', 'a', 'b'], 'unexpected argument "b"'],
    [['approve', 'a', '--release', ...plan], '--plan and --release are two different things'],
    [['approve', 'a', '--plna', 'x'], "Unknown option '--plna'"],
    [['respond'], 'stop or go'],
    [['respond', 'halt', '--reason', 'x'], 'stop or go'],
    [['respond', 'stop'], '--reason is needed'],
  ])('%j is refused with 2, and asks nobody', async (args, what) => {
    const said = await run(args, {})
    expect(said).toMatchObject({ code: 2, out: '' })
    expect(said.err).toContain(what)
    expect(said.err).toContain('usage: lanner')
  })
})

describe('with AWS that refuses', () => {
  it.each(called([publishing('responses', 'nope'), publishing('rules', 'nope')]))(
    '%s names a bucket that there is not',
    async (_, args) => {
      const said = await run(args, environment)
      expect(said).toMatchObject({ code: 2, out: '' })
      expect(said.err).toMatch(/there is no such bucket: .*nope/)
    },
  )

  /** The environment with a front before a service, which answers some requests. */
  async function through(
    service: 's3' | 'eventbridge' | 'lambda',
    meet: (method: string, path: string) => FrontAnswer | undefined,
    work: (env: Readonly<Record<string, string>>) => Promise<void>,
  ) {
    const front = await startFront(stack.endpoints[service], async ({ method, path }) =>
      meet(method, path),
    )
    try {
      await work({ ...environment, [`AWS_ENDPOINT_URL_${service.toUpperCase()}`]: front.endpoint })
    } finally {
      await front.stop()
    }
  }
  const denied = s3Error(403, 'AccessDenied', 'User: x is not authorized to perform: s3:PutObject')
  const bucket = () => new RuleBucket(stack.clients.s3, 'lanner-rules')

  it('says that access is denied, to read and to write, and changes nothing', async () => {
    for (const method of ['GET', 'PUT']) {
      await through(
        's3',
        (asked) => (asked === method ? denied : undefined),
        async (env) => {
          for (const args of [publishing('responses'), publishing('rules')]) {
            const said = await run(args, env)
            expect(said).toMatchObject({ code: 2 })
            expect(said.err).toContain('access is denied: User: x is not authorized')
          }
        },
      )
    }
    expect(await bucket().read('responses.yaml')).toBeUndefined()
    expect(await bucket().read('assignment.json')).toBeUndefined()
  })

  it('says that it is in force when only the bus was not told', async () => {
    const type = 'application/x-amz-json-1.1'
    const body = '{"__type":"AccessDeniedException","message":"not events:PutEvents"}'
    await through(
      'eventbridge',
      () => ({ status: 400, type, body }),
      async (env) => {
        const said = await run(publishing('clusters'), env)
        expect(said).toMatchObject({ code: 1 })
        expect(said.err).toMatch(
          /it is in force, but the bus was not told: AccessDenied.*not events:/,
        )
      },
    )
    expect(await bucket().read('clusters.json')).toMatchObject({ text: '{}' })
    expect(
      (await run(['clusters', 'rollback', '--bucket', 'lanner-rules'], environment)).code,
    ).toBe(0)
  })

  it('says what a function is not, and what one does not answer', async () => {
    const gone = await run(['approve', 'r1', '--function', 'other'], environment)
    expect(gone).toMatchObject({ code: 2 })
    expect(gone.err).toContain('Function not found: other')
    const type = 'application/json'
    const body = '{"Message":"not authorized to perform: lambda:InvokeFunction"}'
    await through(
      'lambda',
      () => ({ status: 403, type, body }),
      async (env) => {
        const said = await run(['respond', 'stop', '--reason', 'x'], env)
        expect(said).toMatchObject({ code: 2, out: '' })
        expect(said.err).toContain('access is denied: not authorized to perform')
      },
    )
  })
})

describe('with the responding function', () => {
  const as = ({ accessKeyId, secretAccessKey }: typeof ann) => ({
    ...{ ...environment, AWS_ACCESS_KEY_ID: accessKeyId },
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  })

  it('shows and approves no response that there is not', async () => {
    for (const more of [[], plan, ['--release']]) {
      expect(await run(['approve', 'r1', ...more], as(ann))).toMatchObject({
        ...{ code: 1, out: '', err: 'lanner approve: there is no response r1\n' },
      })
    }
    const json = await run(['approve', 'r1', '--json'], as(ann))
    expect(json).toMatchObject({ code: 1, err: '' })
    expect(JSON.parse(json.out)).toEqual({ ok: false, problem: 'there is no response r1' })
  })

  it('stops responses and lets them go on for an approver, and for nobody else', async () => {
    const stop = ['respond', 'stop', '--reason', 'a test']
    const stranger = await run(stop, as(bob))
    expect(stranger).toMatchObject({ code: 1, out: '' })
    expect(stranger.err).toContain(`${bob.arn} may not decide this`)
    const forged = await run(stop, as({ ...ann, secretAccessKey: 'another' }))
    expect(forged).toMatchObject({ code: 1, out: '' })
    expect(forged.err).toContain('STS does not know the signature')
    expect(await run(stop, as(ann))).toMatchObject({ code: 0, out: 'all responses are stopped\n' })
    expect(await run(['respond', 'go', '--reason', 'done'], as(ann))).toMatchObject({
      ...{ code: 0, out: 'responses go on\n' },
    })
  })
})
