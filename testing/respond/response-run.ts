import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { encodeArtefact } from '#artefact'
import { artefactOf } from '../../cli/artefact.ts'
import { libraryPath } from '../../cli/library-path.ts'
import { LocalNode } from '../../cli/local/node.ts'
import { RuleBucket } from '../../cli/rule-bucket.ts'
import { loadRuleFiles, parseRuleOptions } from '../../cli/rule-options.ts'
import { localCredentials } from '../../infra/local/clients.ts'
import type { BusEvent } from '../../infra/local/event-bus.ts'
import { type LocalStack, startLocal } from '../../infra/local/start-local.ts'
import { topology } from '../../infra/topology/index.ts'
import type { IncidentMessage, ResponseMessage } from '../../lambdas/shared/bus-messages.ts'
import { sendersKey } from '../../lambdas/shared/read-senders.ts'
import { startEksAuthenticator } from '../aws/eks-authenticator.ts'
import { startSts, type TestSts } from '../aws/start-sts.ts'
import type { StsUser } from '../aws/sts.ts'
import { AttackedCluster, type AttackedPod, nodeName, until } from './attacked-cluster.ts'

/** What a command line came to. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** A response as `lanner approve ID --json` shows it. */
export interface ShownResponse {
  readonly phase: string
  readonly ending?: string
  readonly planHash: string
  readonly does: readonly string[]
  readonly outcome?: string
  readonly evidence?: { readonly manifest: string; readonly head: string }
  readonly residualAllows: readonly unknown[]
  readonly blastRadius: Readonly<Record<string, unknown>>
  readonly lines: readonly { readonly text: string }[]
}

const cluster = 'test'
const classes = ['read', 'mark', 'contain'] as const
const roleOf = (risk: string) => `arn:aws:iam::123456789012:role/lanner-respond-${risk}-${cluster}`
const externalId = 'lanner:test'
const user = (name: string, role: string): StsUser => ({
  ...{ accessKeyId: `AKIA${name.toUpperCase()}`, secretAccessKey: `a secret of ${name}` },
  arn: `arn:aws:sts::123456789012:assumed-role/${role}/${name}`,
})
/** She may approve; he may not. */
export const people = { ann: user('ann', 'Responders'), bob: user('bob', 'Developers') }

const lanner = fileURLToPath(new URL('../../cli/lanner', import.meta.url))

/**
 * All that a response goes through, on this machine: the sensor and agent of the node with its pod watch, the
 * functions with their state, queues and buckets, STS, and a real API server that knows people by tokens of EKS.
 */
export class ResponseRun {
  readonly cluster: AttackedCluster
  readonly stack: LocalStack
  readonly sts: TestSts
  /** What functions, agent and services said. */
  readonly logs: string[]
  readonly #said: BusEvent[]
  readonly #node: LocalNode
  readonly #stops: readonly (() => Promise<void>)[]

  private constructor(parts: {
    readonly cluster: AttackedCluster
    readonly stack: LocalStack
    readonly sts: TestSts
    readonly node: LocalNode
    readonly logs: string[]
    readonly said: BusEvent[]
    readonly stops: readonly (() => Promise<void>)[]
  }) {
    this.cluster = parts.cluster
    this.stack = parts.stack
    this.sts = parts.sts
    this.logs = parts.logs
    this.#said = parts.said
    this.#node = parts.node
    this.#stops = parts.stops
  }

  /** `responses`: the policy that is in force. */
  static async start(responses: string): Promise<ResponseRun> {
    const stops: (() => Promise<void>)[] = []
    const kept = <T extends { stop(): Promise<void> }>(one: T): T => {
      stops.unshift(() => one.stop())
      return one
    }
    try {
      const roles = classes.map((risk) => ({ arn: roleOf(risk), externalId }))
      const sts = kept(await startSts({ users: Object.values(people), roles }))
      const entries = classes.map((risk) => {
        return { role: roleOf(risk), groups: [`lanner:respond:${risk}`] }
      })
      const { identify } = sts
      const eks = kept(await startEksAuthenticator({ cluster, entries, identify }))
      const attacked = kept(await AttackedCluster.start(eks.url))
      const logs: string[] = []
      const stack = kept(
        await startLocal(topology, {
          ...{ stages: ['evaluate', 'lake', 'respond'], schedules: false, deliverySeconds: 1 },
          endpoints: { sts: sts.endpoint },
          overrides: {
            env: {
              respond: {
                APPROVERS: 'arn:aws:sts::123456789012:assumed-role/Responders/*',
                // long enough for what settles in ten seconds, and short enough to be waited for
                ...{ PROOF_SECONDS: '20', LATE_SECONDS: '25' },
              },
            },
          },
          log: (stage, line) => void logs.push(`${stage}: ${line}`),
          announce: (line) => void logs.push(line),
        }),
      )
      const said: BusEvent[] = []
      await stack.listen('bus', { source: ['lanner'] }, (event) => void said.push(event))
      await publish(stack, attacked, responses)
      const { ca, token, identity } = attacked.files
      const { url } = attacked.real.server
      const node = kept(
        new LocalNode({
          ...{ rules: [libraryPath], stream: stack.names.name('stream') },
          ...{ endpoint: stack.endpoints.kinesis, credentials: localCredentials },
          say: (line) => void logs.push(`node: ${line}`),
          settings: {
            ...{ cluster, node: nodeName, identity: { token: identity } },
            ...{ kubernetes: { mode: 'on', url, ca, token } },
            batch: { wait: '200ms', heartbeat: '2s' },
          },
        }),
      )
      await until('watching', async () => {
        if (!node.isRunning) throw new Error(`the agent ended:\n${logs.join('\n')}`)
        return logs.some((line) => line.includes('watching')) || undefined
      })
      return new ResponseRun({ ...{ cluster: attacked, stack, sts, node, logs, said, stops } })
    } catch (error) {
      for (const stop of stops) await stop()
      throw error
    }
  }

  /** Runs the command as a process, as one of the people, with this machine's services for AWS. */
  lanner(who: StsUser, ...args: readonly string[]): Promise<Ran> {
    const { names, endpoints } = this.stack
    const { lambda, s3, sts, dynamodb } = endpoints
    const env = {
      ...{ PATH: process.env['PATH'], HOME: process.env['HOME'], AWS_REGION: 'eu-west-1' },
      ...{ AWS_ACCESS_KEY_ID: who.accessKeyId, AWS_SECRET_ACCESS_KEY: who.secretAccessKey },
      ...{ AWS_ENDPOINT_URL_LAMBDA: lambda, AWS_ENDPOINT_URL_S3: s3, AWS_ENDPOINT_URL_STS: sts },
      ...{ AWS_ENDPOINT_URL_DYNAMODB: dynamodb, LANNER_TABLE: names.name('table') },
      ...{ LANNER_LAKE: names.name('lake'), LANNER_RESPONSES: names.name('responses') },
    }
    return new Promise((resolve) => {
      execFile(lanner, [...args], { env, timeout: 60_000 }, (error, out, err) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ code, out, err })
      })
    })
  }

  /** What was said of the incidents of a pod, in order. */
  incidents({ uid }: AttackedPod): readonly IncidentMessage[] {
    return this.#said
      .filter((event) => event['detail-type'].startsWith('Incident'))
      .map(({ detail }) => detail as unknown as IncidentMessage)
      .filter(({ incident }) => incident.pod?.uid === uid)
  }

  /** What was said of the responses for a pod, in order, each line once. */
  said({ uid }: AttackedPod): readonly (ResponseMessage & { readonly type: string })[] {
    const found = this.#said
      .filter((event) => event['detail-type'].startsWith('Response'))
      .map((event) => {
        return { ...(event.detail as unknown as ResponseMessage), type: event['detail-type'] }
      })
      .filter(({ target }) => target.uid === uid)
    return [...new Map(found.map((one) => [one.id, one])).values()]
  }

  async show(response: string): Promise<ShownResponse> {
    const { code, out, err } = await this.lanner(people.ann, 'approve', response, '--json')
    if (code !== 0) throw new Error(`lanner approve ${response}: ${out}${err}`)
    return JSON.parse(out) as ShownResponse
  }

  /** Lets the function look at the clock, as its schedule does, until a line of this kind is said. */
  async line(pod: AttackedPod, response: string, type: string, withinMs = 120_000) {
    const what = `"${type}" of ${response}`
    try {
      return await until(
        what,
        async () => {
          await this.stack.runSchedule('respond')
          // that its time is over is said before it is taken back, too
          return this.said(pod).find(
            (one) => one.response === response && one.type === type && one.phase !== 'expiring',
          )
        },
        withinMs,
      )
    } catch (error) {
      const story = this.said(pod).map(({ type, text }) => `${type}: ${text}`)
      throw new Error([(error as Error).message, ...story, ...this.logs.slice(-30)].join('\n'))
    }
  }

  /** Waits until what the node shipped before now lies in the lake. */
  async recorded(): Promise<void> {
    const now = new Date()
    const Bucket = this.stack.names.name('lake')
    await until('batches in the lake', async () => {
      const list = new ListObjectsV2Command({ Bucket, Prefix: 'batches/' })
      const { Contents = [] } = await this.stack.clients.s3.send(list)
      return Contents.some(({ LastModified }) => LastModified! > now) || undefined
    })
  }

  /** An object of the bucket of evidence. */
  async evidence(key: string): Promise<string> {
    return (await this.#evidence(key)).toString()
  }

  async #evidence(Key: string): Promise<Buffer> {
    const Bucket = this.stack.names.name('evidence')
    const { Body } = await this.stack.clients.s3.send(new GetObjectCommand({ Bucket, Key }))
    return Buffer.from(await Body!.transformToByteArray())
  }

  /** Puts something else in place of a piece of evidence; rejects when the bucket refuses it. */
  async overwrite(Key: string, Body: string): Promise<void> {
    const Bucket = this.stack.names.name('evidence')
    await this.stack.clients.s3.send(new PutObjectCommand({ Bucket, Key, Body }))
  }

  /** Copies the pieces that a manifest names, and it, into a new directory; gives that. */
  async copyEvidence(manifest: string): Promise<string> {
    const directory = mkdtempSync(join(tmpdir(), 'lanner-evidence-'))
    const { entries } = JSON.parse(await this.evidence(manifest)) as { entries: { key: string }[] }
    for (const key of [manifest, ...entries.map((entry) => entry.key)]) {
      mkdirSync(join(directory, dirname(key)), { recursive: true })
      writeFileSync(join(directory, key), await this.#evidence(key))
    }
    return directory
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) await stop()
  }
}

/** Puts rules, policy, clusters and issuers where functions read them. */
async function publish(stack: LocalStack, { real }: AttackedCluster, responses: string) {
  const Bucket = stack.names.name('rules')
  const put = (Key: string, Body: string) =>
    stack.clients.s3.send(new PutObjectCommand({ Bucket, Key, Body }))
  // the programs of this checkout are none that an image brought
  const without = ['--disable', 'Dropped program executed']
  const { rules } = parseRuleOptions(['--rules', libraryPath, ...without], {})
  const loaded = loadRuleFiles(rules)
  if (!loaded.ok) throw new Error('the library has mistakes')
  const bucket = new RuleBucket(stack.clients.s3, Bucket)
  const set = await bucket.putSet(encodeArtefact(artefactOf(loaded, rules.selections)))
  await bucket.assign({ default: set, clusters: {}, labels: {} })
  await put('responses.yaml', responses)
  const { url: server, caPem } = real.server
  const roles = Object.fromEntries(classes.map((risk) => [risk, roleOf(risk)]))
  await put(
    'clusters.json',
    JSON.stringify({ [cluster]: { server, caPem, region: 'eu-west-1', externalId, roles } }),
  )
  const keys = JSON.parse((await real.server.call('GET', '/openid/v1/jwks')).body as string)
  const issuer = 'https://kubernetes.default.svc'
  await put(sendersKey, JSON.stringify({ issuers: [{ issuer, cluster, keys }] }))
}
