import type { ContainerTable } from '../agent/containers.ts'
import { type ApiAddress, ApiConnection } from './api-connection.ts'
import { type Clock, systemClock } from './clock.ts'
import { Identity, type IdentityFigures } from './identity.ts'
import { PodWatch, type PodWatchFigures, type PodWatchLimits } from './pod-watch.ts'

export type { ApiAddress } from './api-connection.ts'
export { clusterAddress } from './api-connection.ts'
export { nodeInstance } from './node-instance.ts'

export interface PodIdentityOptions {
  readonly address: ApiAddress
  /** Name of this node, as the API knows it. */
  readonly node: string
  /** The containers to tell of their pods; its `onNew` is taken. */
  readonly containers: ContainerTable
  readonly clock?: Clock
  readonly limits?: Partial<PodWatchLimits>
}

export type PodIdentityFigures = PodWatchFigures & IdentityFigures

export interface PodIdentity {
  readonly figures: PodIdentityFigures
  /** Uids of pods of this node that a response has cut off: their network is wanted, see `quarantine-rules.ts`. */
  readonly quarantined: readonly string[]
  /** Ends the watch. What is known stays. */
  stop(): Promise<void>
}

/** Keeps the containers of this node in touch with their pods, from now on until it is stopped. */
export function startPodIdentity(options: PodIdentityOptions): PodIdentity {
  const { address, containers, clock = systemClock, ...rest } = options
  const identity = new Identity({ containers, now: () => clock.now() })
  const connection = new ApiConnection(address)
  const watch = new PodWatch({ ...rest, connection, receiver: identity, clock })
  const end = new AbortController()
  const running = watch.run(end.signal)
  return {
    get figures() {
      return { ...watch.figures, ...identity.figures }
    },
    get quarantined() {
      return identity.quarantined
    },
    async stop() {
      end.abort()
      await running
    },
  }
}
