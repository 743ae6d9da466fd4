import type { ContainmentOutcome } from '../../shared/bus-messages.ts'
import type { Expectation, Observation } from '../../shared/expectations.ts'
import { type Stretch, stretchesOf } from '../../shared/heard.ts'
import type { ResidualAllow } from '../plan/residual-allows.ts'

export interface Judged {
  readonly outcome: ContainmentOutcome
  /** Why, in words. */
  readonly because: string
  /** What a person may do next; nothing when it is contained. */
  readonly next?: string
}

/** Seconds after the act that the network plugin has to bring it into force. */
export const settleMs = 10_000

/** What a node says of connections is of the end of the time when it is so old at most. */
const recentMs = 20_000

/**
 * What became of a containment. Only silence that was listened to, for all of the time and with nothing
 * left open, is `contained`: an API server that said yes has contained nothing yet.
 */
export function judgeOutcome(
  expectation: Expectation,
  { heard, watched, traffic, held, rings, open }: Observation,
  residual: readonly ResidualAllow[],
  inPlace: boolean,
): Judged {
  if (!inPlace) {
    return {
      outcome: 'unenforced',
      because: 'somebody took the label or a policy away, or changed it',
      next: 'find out who, then respond again; or terminate the pod',
    }
  }
  const [first] = traffic
  if (first !== undefined) {
    return {
      outcome: 'unenforced',
      because: `${first.process} in ${first.container}: ${first.event} with ${first.remote} came through`,
      next: 'terminate the pod (evidence is kept); lanner doctor cluster says whether policies are enforced',
    }
  }
  const [holder] = held
  if (holder !== undefined) {
    return {
      outcome: 'partially_contained',
      because: `${holder.process} in ${holder.container} still sends to ${holder.remote} on a connection it holds`,
      next: 'terminate the pod: connections made before may live on',
    }
  }
  const { from, until } = expectation
  const covers = ([start, end]: Stretch) => start <= from + settleMs && end >= until
  if (!stretchesOf(heard).some(covers)) {
    return {
      outcome: 'unverified',
      because: 'the node was not heard of for all of the time',
      next: 'look at the node: without its sensor nobody knows what the pod does',
    }
  }
  if (!watched.some(covers)) {
    return {
      outcome: 'unverified',
      because: "the node did not say for all of the time that it ships the pod's network",
      next: "look at the node's agent: it knows pods that are cut off by their label, from the Kubernetes API",
    }
  }
  if (residual.length > 0) {
    const list = residual.slice(0, 3).map(({ by, what }) => `${by}: ${what}`)
    return {
      outcome: 'partially_contained',
      because: `it was silent, but still allowed are ${list.join('; ')}`,
      next: 'remove those rules, use a cluster with ClusterNetworkPolicy, or terminate the pod',
    }
  }
  const [user] = rings
  if (user !== undefined) {
    return {
      outcome: 'partially_contained',
      because: `${user.process} in ${user.container} uses io_uring: what it sends on connections it holds is not seen`,
      next: 'terminate the pod: connections made before may live on',
    }
  }
  const isKnown = open !== undefined && open.time >= until - recentMs
  if (!isKnown || open.count > 0) {
    const held = isKnown
      ? `it still holds ${open.count} connections to others`
      : 'its node did not say whether it still holds connections'
    return {
      outcome: 'partially_contained',
      because: `nothing came in or went out, but ${held}: those made before may live on`,
      next: 'terminate the pod: a connection that is silent may only be waiting',
    }
  }
  return {
    outcome: 'contained',
    because: 'it was silent for all of the time, and nothing is left open',
  }
}
