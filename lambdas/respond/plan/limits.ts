import type { Limits, Rate } from '#responses'

/** Tokens that are left of a rate, and when that was. */
export interface Bucket {
  readonly tokens: number
  readonly at: number
}

/** What a cluster has had of responses: one item of state, so that it changes as a whole. */
export interface LimitState {
  readonly buckets: Readonly<Record<string, Bucket>>
  /** Responses that have their tokens, by id: asking again costs nothing. */
  readonly taken: Readonly<Record<string, number>>
  /** When responses were asked for lately, each once. */
  readonly asked: Readonly<Record<string, number>>
  /** Second until which people approve everything. */
  readonly openUntil: number
  /** Pods that are being taken from their workload, by workload: one at a time. */
  readonly leaving?: Readonly<Record<string, Leaving>>
}

/** A pod that a response is about to take from its workload. */
export interface Leaving {
  readonly id: string
  readonly pod: string
  /** Second until which it counts, should nobody end it. */
  readonly until: number
}

export const noLimits: LimitState = { buckets: {}, taken: {}, asked: {}, openUntil: 0 }

export interface Asking {
  readonly id: string
  readonly workload: string
  readonly namespace: string
}

export type Taken =
  | { readonly ok: true; readonly state: LimitState }
  | { readonly ok: false; readonly limit: string; readonly state: LimitState }

/** Takes a token from each of a cluster's buckets, or none. Times are seconds. */
export function takeTokens(state: LimitState, asking: Asking, limits: Limits, now: number): Taken {
  if (Object.hasOwn(state.taken, asking.id)) return { ok: true, state }
  const wanted: readonly (readonly [string, Rate, string])[] = [
    [`workload ${asking.namespace}/${asking.workload}`, limits.workload, 'workload'],
    [`namespace ${asking.namespace}`, limits.namespace, 'namespace'],
    ['cluster', limits.cluster, 'cluster'],
  ]
  const left = wanted.map(([key, rate]) => filled(bucketAt(state, key), rate, now))
  const empty = wanted.find((_, i) => left[i]! < 1)
  if (empty !== undefined) {
    const [, rate, name] = empty
    const limit = `${name}: ${rate.count} in ${rate.seconds} s`
    return { ok: false, limit, state: pruned(state, limits, now) }
  }
  const rest = wanted.map(([key], i) => [key, { tokens: left[i]! - 1, at: now }] as const)
  const buckets = { ...state.buckets, ...Object.fromEntries(rest) }
  const taken = { ...state.taken, [asking.id]: now }
  return {
    ok: true,
    state: pruned({ ...state, buckets, taken }, limits, now),
  }
}

/** Seconds in which a response that goes on acts, also when its process dies on the way. */
const leavingSeconds = 900

/**
 * Notes that a response is about to take a pod from its workload; not while another does that to another
 * pod: each of two plans made at once counts the other's pod as a replica that stays.
 */
export function takeLeave(
  state: LimitState,
  { id, namespace, workload, pod }: Asking & { readonly pod: string },
  now: number,
): { readonly ok: boolean; readonly state: LimitState } {
  const key = `${namespace}/${workload}`
  const others = Object.entries(state.leaving ?? {}).filter(([, { until }]) => until > now)
  const held = others.find(([each]) => each === key)?.[1]
  if (held !== undefined && held.id !== id && held.pod !== pod) return { ok: false, state }
  const entry = [key, { id, pod, until: now + leavingSeconds }] as const
  return { ok: true, state: { ...state, leaving: Object.fromEntries([...others, entry]) } }
}

/** Notes that a response has done what it does: from then on the cluster shows it. */
export function endLeave(state: LimitState, id: string): LimitState {
  const left = Object.entries(state.leaving ?? {}).filter(([, each]) => each.id !== id)
  return { ...state, leaving: Object.fromEntries(left) }
}

/**
 * Notes that a response is asked for, once for each id. More than the breaker allows open it: from then
 * on, for a while, people approve. Many incidents at once may be an attacker who steers the responder.
 */
export function askBreaker(
  state: LimitState,
  id: string,
  limits: Limits,
  now: number,
): { readonly isOpen: boolean; readonly opened: boolean; readonly state: LimitState } {
  const wasOpen = now < state.openUntil
  if (Object.hasOwn(state.asked, id)) return { isOpen: wasOpen, opened: false, state }
  const recent = Object.entries(state.asked)
    .filter(([, at]) => at > now - limits.breaker.seconds)
    .sort(([, a], [, b]) => a - b)
    .slice(-limits.breaker.count)
  const asked = Object.fromEntries([...recent, [id, now] as const])
  const isFull = recent.length >= limits.breaker.count
  const openUntil = isFull ? now + limits.breakerSeconds : state.openUntil
  return {
    isOpen: wasOpen || isFull,
    opened: isFull && !wasOpen,
    state: { ...state, asked, openUntil },
  }
}

function bucketAt({ buckets }: LimitState, key: string): Bucket | undefined {
  return Object.hasOwn(buckets, key) ? buckets[key] : undefined
}

/** What a bucket holds now: it fills evenly, up to its count. */
function filled(bucket: Bucket | undefined, { count, seconds }: Rate, now: number): number {
  if (bucket === undefined) return count
  const grown = bucket.tokens + (Math.max(0, now - bucket.at) * count) / seconds
  return Math.min(count, grown)
}

/** Without what is as if it had never been: full buckets, and ids too old to come again. */
function pruned(state: LimitState, limits: Limits, now: number): LimitState {
  const longest = Math.max(
    ...[limits.workload, limits.namespace, limits.cluster].map(({ seconds }) => seconds),
  )
  const rateOf = (key: string) =>
    key === 'cluster'
      ? limits.cluster
      : key.startsWith('namespace ')
        ? limits.namespace
        : limits.workload
  return {
    ...state,
    buckets: Object.fromEntries(
      Object.entries(state.buckets).filter(([key, bucket]) => {
        const rate = rateOf(key)
        return filled(bucket, rate, now) < rate.count
      }),
    ),
    taken: Object.fromEntries(
      Object.entries(state.taken).filter(([, at]) => at > now - Math.max(longest, 86_400)),
    ),
  }
}
