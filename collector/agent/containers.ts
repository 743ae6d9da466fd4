import type { Container } from '#events'
import { type ContainerIdentity, containerOf } from './container-id.ts'

/** What comes to be known of a container later, from the runtime or the Kubernetes API. */
export type ContainerFacts = Partial<Omit<Container, 'id' | 'fullId' | 'type'>>

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

export interface ContainerTableOptions {
  /** Containers kept; the one unused for longest goes first. */
  readonly limit?: number
  /** Called once for each container when its first process is seen. */
  readonly onNew?: (container: Container) => void
}

/**
 * One object for each container, shared by its processes: what is learnt later shows in all of them.
 */
export class ContainerTable {
  readonly #containers = new Map<string, Mutable<Container>>()
  /** Processes of a container have the same cgroups: their text is the key, host included. */
  readonly #byCgroups = new Map<string, ContainerIdentity | undefined>()
  /** Processes in a row have the very same array, see `RecordReader.paths`. */
  #lastCgroups: readonly string[] | undefined
  #lastIdentity: ContainerIdentity | undefined
  readonly #limit: number
  readonly #onNew: (container: Container) => void

  constructor({ limit = 2048, onNew = () => {} }: ContainerTableOptions = {}) {
    this.#limit = limit
    this.#onNew = onNew
  }

  get size(): number {
    return this.#containers.size
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
    const known = this.#containers.get(identity.fullId)
    if (known !== undefined) {
      // Last used, last in the map.
      this.#containers.delete(identity.fullId)
      this.#containers.set(identity.fullId, known)
      return known
    }
    forgetOldest(this.#containers, this.#limit)
    const container: Mutable<Container> = { ...identity }
    this.#containers.set(identity.fullId, container)
    this.#onNew(container)
    return container
  }

  /** Adds what is now known; false when no process of the container was seen (or not lately). */
  describe(fullId: string, facts: ContainerFacts): boolean {
    const container = this.#containers.get(fullId)
    if (container === undefined) return false
    Object.assign(container, facts)
    return true
  }

  /** All containers of a pod. */
  ofPod(podUid: string): Container[] {
    return [...this.#containers.values()].filter((container) => container.podUid === podUid)
  }
}

function forgetOldest(map: Map<string, unknown>, limit: number): void {
  if (map.size < limit) return
  const oldest = map.keys().next()
  if (!oldest.done) map.delete(oldest.value)
}
