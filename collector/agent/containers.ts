import type { Container } from '#events'
import { type ContainerIdentity, containerOf } from './container-id.ts'

/** What comes to be known of a container later, from the runtime or the Kubernetes API. */
export type ContainerFacts = Partial<Omit<Container, 'id' | 'fullId' | 'type'>>

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

export interface ContainerTableOptions {
  /** Containers kept; the one unused for longest goes first. */
  readonly limit?: number
}

interface Entry {
  readonly container: Mutable<Container>
  /** What an authority says, which no guess changes. */
  told: ContainerFacts
}

/**
 * One object for each container, shared by its processes: what is learnt later shows in all of them.
 */
export class ContainerTable {
  readonly #entries = new Map<string, Entry>()
  /** Processes of a container have the same cgroups: their text is the key, host included. */
  readonly #byCgroups = new Map<string, ContainerIdentity | undefined>()
  /** Processes in a row have the very same array, see `RecordReader.paths`. */
  #lastCgroups: readonly string[] | undefined
  #lastIdentity: ContainerIdentity | undefined
  readonly #limit: number
  #onNew: (container: Container) => void = () => {}
  #evicted = 0

  constructor({ limit = 1024 }: ContainerTableOptions = {}) {
    this.#limit = limit
  }

  get size(): number {
    return this.#entries.size
  }

  /** Containers that had to go for others. */
  get evicted(): number {
    return this.#evicted
  }

  /** All containers, the one unused for longest first. */
  *all(): Iterable<Container> {
    for (const { container } of this.#entries.values()) yield container
  }

  /** Calls `listener` once for each container from now on, before its first process is shown. */
  onNew(listener: (container: Container) => void): void {
    this.#onNew = listener
  }

  /** The container of a process with these cgroups, `undefined` for the host. */
  of(cgroups: readonly string[]): Container | undefined {
    if (cgroups !== this.#lastCgroups) {
      this.#lastIdentity = this.#identityOf(cgroups)
      this.#lastCgroups = cgroups
    }
    return this.#lastIdentity === undefined ? undefined : this.#get(this.#lastIdentity)
  }

  #identityOf(cgroups: readonly string[]): ContainerIdentity | undefined {
    const key = cgroups.join('\0')
    let identity = this.#byCgroups.get(key)
    if (identity === undefined && !this.#byCgroups.has(key)) {
      identity = containerOf(cgroups)
      forgetOldest(this.#byCgroups, this.#limit)
      this.#byCgroups.set(key, identity)
    }
    return identity
  }

  #get(identity: ContainerIdentity): Container {
    const known = this.#entries.get(identity.fullId)
    if (known !== undefined) {
      // Last used, last in the map.
      this.#entries.delete(identity.fullId)
      this.#entries.set(identity.fullId, known)
      return known.container
    }
    if (this.#entries.size >= this.#limit) this.#evicted += 1
    forgetOldest(this.#entries, this.#limit)
    const container: Mutable<Container> = { ...identity }
    this.#entries.set(identity.fullId, { container, told: {} })
    this.#onNew(container)
    return container
  }

  /**
   * Adds what is guessed from outside of a container; what {@link identify} said of it stays. False
   * when no process of the container was seen (or not lately).
   */
  describe(fullId: string, facts: ContainerFacts): boolean {
    const entry = this.#entries.get(fullId)
    if (entry === undefined) return false
    Object.assign(entry.container, facts, entry.told)
    return true
  }

  /** Adds what one who knows says of a container, likewise. */
  identify(fullId: string, facts: ContainerFacts): boolean {
    const entry = this.#entries.get(fullId)
    if (entry === undefined) return false
    entry.told = facts
    Object.assign(entry.container, facts)
    return true
  }

  /** All containers of a pod. */
  ofPod(podUid: string): Container[] {
    return [...this.all()].filter((container) => container.podUid === podUid)
  }
}

function forgetOldest(map: Map<string, unknown>, limit: number): void {
  if (map.size < limit) return
  const oldest = map.keys().next()
  if (!oldest.done) map.delete(oldest.value)
}
