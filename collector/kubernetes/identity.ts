import { type Container, quarantineLabel } from '#events'
import type { ContainerTable } from '../agent/containers.ts'
import { at, text } from './json.ts'
import { type PodFacts, podFacts } from './pod-facts.ts'
import type { PodReceiver } from './pod-watch.ts'

export interface IdentityOptions {
  readonly containers: ContainerTable
  /** Milliseconds that only grow. */
  readonly now: () => number
  /** Pods kept; the one gone, else the one unchanged for longest is the first to go. */
  readonly maxPods?: number
  /** Milliseconds for which a pod is kept when it is gone: its last events are still under way. */
  readonly keepGone?: number
}

export interface IdentityFigures {
  readonly pods: number
  /** Pods forgotten because there were too many. */
  readonly evicted: number
  /** Labels and mounts left out because a pod has too many. */
  readonly cut: number
  /** Containers that are part of a pod of which nothing is known. */
  readonly unresolved: number
}

interface KnownPod extends PodFacts {
  goneAt: number | undefined
}

/**
 * Tells the containers of this node which pods they belong to. A container is found by its id, or by
 * the pod's uid in its cgroup path: a pod is known from the moment it is given to the node, so its
 * containers have it from their first process on, and the rest as soon as the pod's status has their id.
 */
export class Identity implements PodReceiver {
  readonly #containers: ContainerTable
  readonly #now: () => number
  readonly #maxPods: number
  readonly #keepGone: number
  /** By the uid of the API, the one unchanged for longest first. */
  readonly #pods = new Map<string, KnownPod>()
  readonly #byCgroup = new Map<string, KnownPod>()
  readonly #byContainer = new Map<string, KnownPod>()
  #evicted = 0
  #cut = 0

  constructor({ containers, now, maxPods = 1024, keepGone = 60_000 }: IdentityOptions) {
    this.#containers = containers
    this.#now = now
    this.#maxPods = maxPods
    this.#keepGone = keepGone
    containers.onNew((container) => this.#resolve(container))
  }

  get figures(): IdentityFigures {
    this.#forgetGone()
    let unresolved = 0
    for (const { podUid, podName } of this.#containers.all()) {
      if (podUid !== undefined && podName === undefined) unresolved += 1
    }
    return { pods: this.#pods.size, evicted: this.#evicted, cut: this.#cut, unresolved }
  }

  /** Uids of the pods of this node that a response has cut off. */
  get quarantined(): readonly string[] {
    const found: string[] = []
    for (const { uid, pod, goneAt } of this.#pods.values()) {
      if (goneAt === undefined && pod.podLabels?.[quarantineLabel] !== undefined) found.push(uid)
    }
    return found
  }

  onPod(json: unknown): void {
    const facts = podFacts(json)
    if (facts === undefined) return
    this.#forgetGone()
    const before = this.#pods.get(facts.uid)
    if (before !== undefined) this.#forget(before)
    else if (this.#pods.size >= this.#maxPods) this.#evict()
    this.#cut += Math.max(facts.cut - (before?.cut ?? 0), 0)
    const pod: KnownPod = { ...facts, goneAt: undefined }
    this.#pods.set(pod.uid, pod)
    // One that comes later and says that it is the same static pod, is not believed.
    const holder = this.#byCgroup.get(pod.cgroupUid)
    if (holder === undefined || holder.goneAt !== undefined) this.#byCgroup.set(pod.cgroupUid, pod)
    for (const id of pod.containers.keys()) this.#byContainer.set(id, pod)
    for (const container of this.#containers.ofPod(pod.cgroupUid)) this.#resolve(container)
    for (const [id, known] of pod.containers) this.#containers.identify(id, known)
  }

  onGone(json: unknown): void {
    // Its last state may tell of containers that nothing told of before.
    this.onPod(json)
    this.#markGone(text(at(json, 'metadata', 'uid')))
  }

  onComplete(uids: ReadonlySet<string>): void {
    for (const uid of this.#pods.keys()) if (!uids.has(uid)) this.#markGone(uid)
  }

  #resolve({ fullId, podUid }: Container): void {
    const pod =
      this.#byContainer.get(fullId) ??
      (podUid === undefined ? undefined : this.#byCgroup.get(podUid))
    if (pod === undefined) return
    this.#containers.identify(fullId, pod.containers.get(fullId) ?? pod.pod)
  }

  #markGone(uid: string | undefined): void {
    const pod = uid === undefined ? undefined : this.#pods.get(uid)
    if (pod !== undefined) pod.goneAt ??= this.#now()
  }

  #forgetGone(): void {
    const now = this.#now()
    for (const pod of this.#pods.values()) {
      if (pod.goneAt !== undefined && now - pod.goneAt >= this.#keepGone) this.#forget(pod)
    }
  }

  #evict(): void {
    const all = [...this.#pods.values()]
    this.#forget(all.find(({ goneAt }) => goneAt !== undefined) ?? all[0]!)
    this.#evicted += 1
  }

  #forget(pod: KnownPod): void {
    this.#pods.delete(pod.uid)
    if (this.#byCgroup.get(pod.cgroupUid) === pod) this.#byCgroup.delete(pod.cgroupUid)
    for (const id of pod.containers.keys()) {
      if (this.#byContainer.get(id) === pod) this.#byContainer.delete(id)
    }
  }
}
