import type { Json } from '#correlate'
import type { Limits } from '#responses'
import { itemKey } from '../../shared/state-key.ts'
import {
  type Asking,
  askBreaker,
  endLeave,
  type LimitState,
  noLimits,
  takeLeave,
  takeTokens,
} from '../plan/limits.ts'
import type { Ports } from './ports.ts'

type Stored = Pick<Ports, 'store' | 'now'>
const year = 365 * 86_400

/** Whether all responses are stopped, by whom and why. */
export interface KillSwitch {
  readonly on: boolean
  readonly by: string
  readonly reason: string
  readonly at: number
}

const killKey = itemKey('kill-switch')

/** Asked before every act; what cannot be read counts as on. */
export async function killSwitch({ store, now }: Stored): Promise<KillSwitch | undefined> {
  const item = (await store.read([killKey], now())).get(killKey)
  const value = item?.value as unknown as KillSwitch | undefined
  return value?.on === true ? value : undefined
}

/** Stops all responses, or lets them go on. */
export async function setKillSwitch(ports: Stored, value: Omit<KillSwitch, 'at'>): Promise<void> {
  const at = ports.now()
  await update(ports, killKey, at + 10 * year, () => ({ ...value, at }))
}

/** Takes the tokens of a response from the buckets of its cluster: the limit that is reached, if one is. */
export async function takeLimits(
  ports: Stored,
  cluster: string,
  asking: Asking,
  limits: Limits,
): Promise<string | undefined> {
  let reached: string | undefined
  await update(ports, itemKey('limits', cluster), ports.now() + 7 * 86_400, (value) => {
    const taken = takeTokens(stateOf(value), asking, limits, ports.now())
    reached = taken.ok ? undefined : taken.limit
    return taken.state as unknown as Json
  })
  return reached
}

/** Whether a response may take its pod from its workload now: no other one takes another pod of it. */
export async function beginLeaving(
  ports: Stored,
  cluster: string,
  asking: Asking & { readonly pod: string },
): Promise<boolean> {
  let isOk = false
  await update(ports, itemKey('limits', cluster), ports.now() + 7 * 86_400, (value) => {
    const { ok, state } = takeLeave(stateOf(value), asking, ports.now())
    isOk = ok
    return state as unknown as Json
  })
  return isOk
}

/** The pod is taken from its workload, or stays. */
export async function endLeaving(ports: Stored, cluster: string, id: string): Promise<void> {
  await update(
    ports,
    itemKey('limits', cluster),
    ports.now() + 7 * 86_400,
    (value) => endLeave(stateOf(value), id) as unknown as Json,
  )
}

/** Notes at a cluster's breaker that a response is asked for. */
export async function passBreaker(
  ports: Stored,
  cluster: string,
  id: string,
  limits: Limits,
): Promise<boolean> {
  let isOpen = false
  await update(ports, itemKey('limits', cluster), ports.now() + 7 * 86_400, (value) => {
    const asked = askBreaker(stateOf(value), id, limits, ports.now())
    isOpen = asked.isOpen
    return asked.state as unknown as Json
  })
  return !isOpen
}

function stateOf(value: Json | undefined): LimitState {
  return (value ?? noLimits) as unknown as LimitState
}

async function update(
  { store, now }: Stored,
  key: string,
  expires: number,
  change: (value: Json | undefined) => Json,
): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const item = (await store.read([key], now())).get(key)
    const value = change(item?.value)
    if (JSON.stringify(item?.value) === JSON.stringify(value)) return
    const conflicts = await store.write([{ key, value, from: item?.version ?? 0, expires }])
    if (conflicts.length === 0) return
  }
  throw new Error(`${key}: others keep writing`)
}
