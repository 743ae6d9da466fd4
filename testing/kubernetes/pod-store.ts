/** A pod as the API has it; what a test says of it, and the metadata that a server adds. */
export interface PodObject {
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly name: string
    readonly namespace: string
    readonly uid: string
    readonly resourceVersion?: string
  }
  readonly spec: Readonly<Record<string, unknown>> & { readonly nodeName?: string }
  readonly status?: Readonly<Record<string, unknown>>
}

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED'

export interface Change {
  readonly type: ChangeType
  readonly version: number
  readonly pod: PodObject
}

/** Pods with versions and the history of their changes, as an API server keeps them. */
export class PodStore {
  readonly #pods = new Map<string, PodObject>()
  readonly #listeners = new Set<(change: Change) => void>()
  #history: Change[] = []
  #version = 1000
  /** Changes up to this version are forgotten. */
  #oldest = 1000

  get version(): number {
    return this.#version
  }

  get oldest(): number {
    return this.#oldest
  }

  /** Sorted by namespace and name. */
  get pods(): readonly PodObject[] {
    return [...this.#pods].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pod]) => pod)
  }

  put(pod: PodObject): PodObject {
    const key = keyOf(pod)
    return this.#change(this.#pods.has(key) ? 'MODIFIED' : 'ADDED', pod, (stored) =>
      this.#pods.set(key, stored),
    )
  }

  delete(pod: PodObject): void {
    const key = keyOf(pod)
    const stored = this.#pods.get(key)
    if (stored === undefined) throw new Error(`there is no pod ${key}`)
    this.#change('DELETED', stored, () => this.#pods.delete(key))
  }

  since(version: number): readonly Change[] {
    return this.#history.filter((change) => change.version > version)
  }

  /** Forgets all changes, as a server does in time: who asks for one since then gets a 410. */
  compact(): void {
    this.#version += 1
    this.#oldest = this.#version
    this.#history = []
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #change(type: ChangeType, pod: PodObject, apply: (stored: PodObject) => void): PodObject {
    this.#version += 1
    const metadata = { ...pod.metadata, resourceVersion: String(this.#version) }
    const stored = { ...pod, metadata }
    apply(stored)
    const change = { type, version: this.#version, pod: stored }
    this.#history.push(change)
    for (const listener of this.#listeners) listener(change)
    return stored
  }
}

function keyOf({ metadata }: PodObject): string {
  return `${metadata.namespace}/${metadata.name}`
}
