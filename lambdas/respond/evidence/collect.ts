import { alertJson } from '#engine'
import type { Detection } from '../../shared/detection.ts'
import type { BatchesRange, ReadBatches } from '../../shared/read-batches.ts'
import { type Kube, KubeError, readList, readObject } from '../kubernetes/kube.ts'
import type { EvidenceStore } from '../machine/ports.ts'
import { type Plan, planHash, sha256 } from '../plan/plan.ts'
import { controllerOf, type KubeObject, type Pod } from '../world/objects.ts'
import { clusterPolicyPath, nodePath, ownerPath, podPath } from '../world/read-world.ts'
import { inTime, NoTime } from './in-time.ts'
import { headOf, type Manifest, withEntry } from './manifest.ts'
import { processTree } from './process-tree.ts'
import { type RecordedEvents, recordedEvents } from './recorded-events.ts'
import { redactObject, redactText } from './redact.ts'

export interface Collecting {
  readonly plan: Plan
  readonly kube: Kube
  readonly store: EvidenceStore
  readonly detections: () => Promise<readonly Detection[]>
  readonly batches: (range: BatchesRange) => Promise<ReadBatches>
  /** Second of the epoch at which the response began. */
  readonly made: number
  readonly now: () => number
  readonly tailLines: number
  /** Milliseconds that all of it may take: what is not had by then is said to be missing. */
  readonly withinMs: number
}

export interface Collected {
  readonly manifest: string
  readonly head: string
  /** Pieces that could not be had, and why. */
  readonly missing: readonly string[]
}

interface Piece {
  readonly name: string
  readonly call: string
  /** `undefined` when there is none. */
  readonly read: () => Promise<string | Uint8Array | undefined>
  /** Nothing has to be asked for it: it is there when the time is over, too. */
  readonly isAtHand?: true
  /** Once it is read: what is not in it. */
  readonly lacks?: () => readonly string[]
}

/** No piece takes the time of all others: milliseconds. */
const pieceMs = 10_000
/** Most bytes of the log of a container. */
const logBytes = 4 << 20
/** Of what a piece lacks, the manifest names so much. */
const mostLacks = 5
/** So long before an incident was first seen its events are taken, and at most so long in all: milliseconds. */
const beforeMs = 10 * 60_000
const mostMs = 6 * 3_600_000

/**
 * Collects evidence and writes each piece once, then the manifest; what lies there from an attempt
 * before stays as it is. What cannot be had, or not in time, is said to be missing, and keeps nobody from
 * acting. Rejects when the pod's own object cannot be had, or nothing be kept: then nothing may be done.
 */
export async function collectEvidence(collecting: Collecting): Promise<Collected> {
  const { plan, store, now, withinMs } = collecting
  const until = performance.now() + withinMs
  const left = () => until - performance.now()
  const folder = ['evidence', plan.cluster, plan.incident, plan.response]
    .map((part) => encodeURIComponent(part))
    .join('/')
  const manifestKey = `${folder}/manifest.json`
  const before = await store.get(manifestKey)
  if (before !== undefined) return known(manifestKey, before)
  const missing: string[] = []
  const entries: Parameters<typeof withEntry>[1][] = []
  const pieces = await inTime(left(), () => piecesOf(collecting))
  for (const [i, { name, call, read, isAtHand, lacks }] of pieces.entries()) {
    const key = `${folder}/${`${i + 1}`.padStart(2, '0')}-${name}`
    let bytes = await store.get(key)
    if (bytes === undefined) {
      let content: string | Uint8Array | undefined
      try {
        if (!isAtHand && left() <= 0) throw new NoTime('no time')
        content = await (isAtHand ? read() : inTime(Math.min(left(), pieceMs), read))
      } catch (error) {
        if (i === 0) throw error
        missing.push(`${name}: ${(error as Error).message}`)
        continue
      }
      missing.push(...(lacks?.() ?? []).slice(0, mostLacks).map((one) => `${name}: ${one}`))
      if (content === undefined) {
        missing.push(`${name}: there is none`)
        continue
      }
      await store.putOnce(key, Buffer.from(content))
      // whoever was first: what lies there is what counts
      bytes = await store.get(key)
      if (bytes === undefined) throw new Error(`${key} was written, and is not there`)
    }
    const collectedAt = new Date(now() * 1000).toISOString()
    entries.push({ name, key, size: bytes.length, sha256: sha256(bytes), collectedAt, call })
  }
  const { response, incident, cluster } = plan
  const manifest = entries.reduce<Manifest>(withEntry, {
    ...{ version: 1, response, incident, cluster, planHash: planHash(plan) },
    ...{ redacted: true, missing, entries: [] },
  })
  await store.putOnce(manifestKey, Buffer.from(JSON.stringify(manifest, null, 2)))
  const kept = await store.get(manifestKey)
  if (kept === undefined) throw new Error(`${manifestKey} was written, and is not there`)
  return known(manifestKey, kept)
}

function known(key: string, bytes: Uint8Array): Collected {
  const manifest = JSON.parse(Buffer.from(bytes).toString()) as Manifest
  return { manifest: key, head: headOf(manifest), missing: manifest.missing }
}

async function piecesOf(collecting: Collecting): Promise<Piece[]> {
  const { plan, kube, detections, tailLines } = collecting
  const { namespace, name, uid, node, serviceAccount } = plan.target
  const within = `/namespaces/${encodeURIComponent(namespace)}`
  const pod = await readObject<Pod>(kube, podPath(namespace, name))
  if (pod === undefined || pod.metadata.uid !== uid) throw new Error('the pod is gone')
  const object = (file: string, path: string): Piece => {
    return {
      name: file,
      call: `GET ${path}`,
      read: async () => shown(await readObject(kube, path)),
    }
  }
  const list = (
    file: string,
    path: string,
    query: Readonly<Record<string, string>> = {},
  ): Piece => {
    return {
      name: file,
      call: `GET ${path}`,
      read: async () => shown(await readList(kube, path, query)),
    }
  }
  const recorded = recordedPieces(collecting, () => observed())
  let seen: Promise<readonly Detection[]> | undefined
  const observed = () => {
    seen ??= inTime(pieceMs, detections)
    return seen
  }
  return [
    {
      ...{ name: 'pod.json', call: `GET ${podPath(namespace, name)}`, isAtHand: true },
      read: async () => shown(pod),
    },
    { name: 'plan.json', call: 'plan', isAtHand: true, read: async () => shown(plan) },
    { name: 'owners.json', call: 'GET owners', read: async () => shown(await owners(kube, pod)) },
    ...(node === '' ? [] : [object('node.json', nodePath(node))]),
    list('events.json', `/api/v1${within}/events`, { fieldSelector: `involvedObject.uid=${uid}` }),
    list('policies.json', `/apis/networking.k8s.io/v1${within}/networkpolicies`),
    list('cluster-policies.json', clusterPolicyPath),
    ...(serviceAccount === ''
      ? []
      : [
          object(
            'service-account.json',
            `/api/v1${within}/serviceaccounts/${encodeURIComponent(serviceAccount)}`,
          ),
        ]),
    {
      ...{ name: 'images.json', call: 'status of the pod', isAtHand: true },
      read: async () => shown(imagesOf(pod)),
    },
    {
      ...{ name: 'detections.ndjson', call: 'the lake' },
      read: async () =>
        (await observed()).map((each) => `${redactText(alertJson(each))}\n`).join(''),
    },
    {
      ...{ name: 'processes.json', call: 'the lake' },
      read: async () => shown(processTree(await observed())),
    },
    ...recorded,
    ...logsOf(kube, pod, tailLines),
  ]
}

/**
 * What the collector recorded of the pod around the incident: a trace, and what it was made of. Both come
 * of one look into the lake.
 */
function recordedPieces(
  { plan, batches, now, made }: Collecting,
  observed: () => Promise<readonly Detection[]>,
): Piece[] {
  let taken: RecordedEvents | undefined
  const take = async () => {
    const to = now() * 1000
    // without detections the incident is as old as its response
    const detections = await observed().catch((): readonly Detection[] => [])
    const times = detections.map(({ time }) => Date.parse(time)).filter((time) => time > 0)
    const around = Math.min(made * 1000, ...times)
    const range = { from: Math.max(around - beforeMs, to - mostMs), to }
    const { cluster, target } = plan
    const found = await batches({ ...{ cluster, node: target.node, around }, ...range })
    return recordedEvents(found, target, range)
  }
  return [
    {
      ...{ name: 'recorded.trace', call: 'batches in the lake' },
      read: async () => {
        taken = await take()
        return taken.trace.length === 0 ? undefined : taken.trace
      },
      lacks: () =>
        taken === undefined ? [] : [...taken.description.cut, ...taken.description.problems],
    },
    {
      ...{ name: 'recorded.json', call: 'batches in the lake', isAtHand: true },
      read: async () =>
        shown(
          taken?.description ?? {
            note: 'the trace is of an attempt that broke off: what it lacks is not known',
          },
        ),
    },
  ]
}

function shown(value: unknown): string | undefined {
  return value === undefined ? undefined : `${JSON.stringify(redactObject(value), null, 2)}\n`
}

async function owners(kube: Kube, pod: Pod): Promise<KubeObject[]> {
  const found: KubeObject[] = []
  let child: KubeObject = pod
  while (found.length < 4) {
    const owner = controllerOf(child)
    const path = owner && ownerPath(owner, pod.metadata.namespace ?? '')
    const object = path === undefined ? undefined : await readObject<KubeObject>(kube, path)
    if (object === undefined) break
    found.push(object)
    child = object
  }
  return found
}

function imagesOf({ status }: Pod) {
  return [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ].map(({ name, image, imageID, containerID, restartCount }) => {
    return { name, image, imageID, containerID, restartCount }
  })
}

/** Logs of all containers, of their run before, too. */
function logsOf(kube: Kube, { metadata, spec }: Pod, tailLines: number): Piece[] {
  const containers = [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ]
  const path = `${podPath(metadata.namespace ?? '', metadata.name)}/log`
  return containers.flatMap(({ name: container }) =>
    [false, true].map((previous): Piece => {
      const file = `logs-${container}${previous ? '-previous' : ''}.txt`
      const query = {
        ...{ container, timestamps: 'true', tailLines: `${tailLines}` },
        ...{ limitBytes: `${logBytes}`, previous: `${previous}` },
      }
      const read = async () => {
        // once: a kubelet that does not answer would take all of the time
        const request = { method: 'GET', path, query }
        const reply = await kube.send(request)
        const { status, body } = reply
        if (status === 404) return undefined
        if (status >= 300) throw new KubeError(request, reply)
        return redactText(typeof body === 'string' ? body : JSON.stringify(body))
      }
      return { name: file, call: `GET ${path}?container=${container}&previous=${previous}`, read }
    }),
  )
}
