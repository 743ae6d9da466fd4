import type { ResponsePolicy } from '#responses'
import { readResponses } from '#responses'
import { FailingStore } from '#testing/failing-store.ts'
import type { BusMessage } from '../../shared/bus.ts'
import type { IncidentMessage, ResponseMessage } from '../../shared/bus-messages.ts'
import type { Detection } from '../../shared/detection.ts'
import type { Kube, KubeRequest } from '../kubernetes/kube.ts'
import type { Kubes } from '../machine/make-plan.ts'
import type { EvidenceStore, OutsideMessage, OutsideResult, Ports } from '../machine/ports.ts'
import { Responder } from '../machine/responder.ts'

export const approver = 'arn:aws:sts::123456789012:assumed-role/Responders/ann'

/** The policy of tests: cut off, mark, close the node, tell a webhook. */
export const policyText = `
- rule: Isolate
  match: {rules: [Shell]}
  expires: 1h
  approve_within: 30m
  actions:
    - {action: describe, actionner: kubernetes:describe}
    - {action: logs, actionner: kubernetes:log}
    - {action: mark, actionner: kubernetes:label, parameters: {labels: {lanner.dev/suspicious: "true"}}}
    - {action: close, actionner: kubernetes:cordon}
    - {action: cut, actionner: lanner:quarantine}
    - {action: tell, actionner: "lanner:webhook", parameters: {url: "https://example.org/x"}}
`

export function policyOf(text: string): ResponsePolicy {
  const { ok, policy, files } = readResponses([{ name: 'r.yaml', text }])
  if (!ok) throw new Error(JSON.stringify(files.flatMap(({ diagnostics }) => diagnostics)))
  return policy
}

/** The process is gone: nothing of what it still wanted happens. */
export class Crash extends Error {
  override readonly name = 'Crash'
}

/** A number of calls after which the process dies, before or after the last of them has its effect. */
export interface Death {
  readonly at: number
  readonly after: boolean
}

/** A call that a process made of what is around it. */
export interface MadeCall {
  /** As `store.write`. */
  readonly name: string
  readonly changesCluster: boolean
}

/** A process that leads responses, and the calls it has made so far. */
export interface Process {
  readonly responder: Responder
  readonly calls: readonly MadeCall[]
  readonly ports: { -readonly [Key in keyof Ports]: Ports[Key] }
}

/** Whether a call changes something of a cluster in earnest. */
export function isChange({ method, query, body }: KubeRequest): boolean {
  const text = JSON.stringify(body ?? '')
  return method !== 'GET' && query?.['dryRun'] === undefined && !text.includes('"dryRun":["All"]')
}

function isRequest(value: unknown): value is KubeRequest {
  return typeof value === 'object' && value !== null && 'method' in value && 'path' in value
}

/** Everything around a responder, in memory, with a clock of its own. */
export class ResponseWorld {
  time = 1_800_000_000
  readonly store = new FailingStore()
  readonly shared = new FailingStore()
  readonly evidence = new Map<string, Uint8Array>()
  readonly said: BusMessage[] = []
  readonly outside: { readonly call: object; readonly message: OutsideMessage }[] = []
  outsideResult: OutsideResult = { status: 'done' }
  policy: ResponsePolicy
  approvers: readonly string[] = ['arn:aws:sts::123456789012:assumed-role/Responders/*']
  detections: readonly Detection[] = []
  /** Milliseconds. */
  evidenceMs = 40_000
  /** What lies in the lake. */
  batches: Ports['batches'] = async () => ({
    ...{ batches: [], objects: 0, scanned: 0, cut: [], problems: [] },
  })
  /** Whether the cluster is known. */
  isKnown = true
  /** Ways with the rights of a class. */
  kubesOf: Kubes
  #tokens = 0

  /** `kube`: one way for all classes, or a way for each. */
  constructor(kube: Kube | Kubes, policy: string) {
    this.kubesOf = typeof kube === 'function' ? kube : async () => kube
    this.policy = policyOf(policy)
  }

  get messages(): ResponseMessage[] {
    return this.said.map(({ detail }) => detail as ResponseMessage)
  }

  /** What is said, each once, in words. */
  get story(): string[] {
    const byId = new Map(
      this.said.map(({ type, detail }) => [
        detail.id,
        `${type}: ${(detail as ResponseMessage).text}`,
      ]),
    )
    return [...byId.values()]
  }

  /** A process that leads responses; it dies as told. Notes its calls in `calls`. */
  responder(death?: Death): Process {
    const calls: MadeCall[] = []
    let isDead = false
    const wrap =
      <A extends unknown[], R>(name: string, call: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        if (isDead) throw new Crash()
        calls.push({ name, changesCluster: isRequest(args[0]) && isChange(args[0]) })
        if (calls.length !== death?.at) return call(...args)
        isDead = true
        if (death.after) await call(...args)
        throw new Crash()
      }
    const store = (inner: FailingStore) => ({
      read: wrap('store.read', inner.read.bind(inner)),
      write: wrap('store.write', inner.write.bind(inner)),
      due: wrap('store.due', inner.due.bind(inner)),
    })
    const kubes: Kubes = async (risk) => {
      const kube = await this.kubesOf(risk)
      return { send: wrap('kube.send', kube.send.bind(kube)) }
    }
    const evidence: EvidenceStore = {
      putOnce: wrap('evidence.putOnce', async (key, bytes) => {
        if (!this.evidence.has(key)) this.evidence.set(key, bytes)
      }),
      get: wrap('evidence.get', async (key) => this.evidence.get(key)),
    }
    const ports: Ports = {
      ...{ store: store(this.store), shared: store(this.shared), evidence },
      evidenceMs: this.evidenceMs,
      policy: async () => this.policy,
      kubes: (cluster) => (cluster === 'test' && this.isKnown ? kubes : undefined),
      say: wrap('say', async (messages) => void this.said.push(...messages)),
      detections: wrap('detections', async () => this.detections),
      batches: wrap('batches', async (range) => this.batches(range)),
      invoke: wrap('invoke', async (call, message) => {
        this.outside.push({ call, message })
        return this.outsideResult
      }),
      approvers: this.approvers,
      proof: { windowSeconds: 60, lateSeconds: 75 },
      now: () => this.time,
      sleep: async () => {},
      token: () => `${++this.#tokens}`,
    }
    return { responder: new Responder(ports), calls, ports }
  }
}

/** An incident about a pod, as it comes from the bus. */
export function incidentMessage(
  target: { readonly name: string; readonly namespace: string; readonly uid: string },
  more: {
    readonly id?: string
    readonly node?: string
    readonly rule?: string
    readonly sender?: 'verified' | 'unverified'
    readonly cluster?: string
  } = {},
): IncidentMessage {
  const { id = 'inc-1', node = 'n1', rule = 'Shell', sender = 'verified', cluster = 'test' } = more
  const detection = {
    ...{ hostname: node, output: 'o', output_fields: {}, priority: 'Critical', rule },
    ...{ source: 'syscall', tags: [], time: '2027-01-15T08:00:00Z' },
    lanner: {},
  } as unknown as Detection
  const incident = {
    ...{ id, revision: 1, state: 'open', title: rule, priority: 'Critical', cluster, node },
    ...{ pod: target, sender, family: 'f', rules: { [rule]: 1 }, tags: [], count: 1 },
  } as unknown as IncidentMessage['incident']
  return { id: `${id}-1`, incident, reason: 'opened', detection }
}
