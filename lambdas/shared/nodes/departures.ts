import type { StateStore } from '#correlate'
import { itemKey } from '../state-key.ts'

/** Seconds for which a departure excuses the silence of its node. */
const keptSeconds = 86_400

export function departureKey(instance: string): string {
  return itemKey('departure', instance)
}

/** Remembers that a machine goes or has gone; saying so again changes nothing. */
export async function noteDeparture(
  store: StateStore,
  departure: { readonly instance: string; readonly reason: string; readonly time: string },
  now: number,
): Promise<void> {
  const { instance, reason, time } = departure
  const key = departureKey(instance)
  // A conflict: it is known already.
  await store.write([{ key, value: { reason, time }, from: 0, expires: now + keptSeconds }])
}

/** Which of these machines have departed. "" is none. */
export async function readDepartures(
  store: StateStore,
  instances: readonly string[],
  now: number,
): Promise<ReadonlySet<string>> {
  const known = [...new Set(instances)].filter((instance) => instance !== '')
  if (known.length === 0) return new Set()
  const items = await store.read(known.map(departureKey), now)
  return new Set(known.filter((instance) => items.has(departureKey(instance))))
}

/** The machine of a node: as announced, or as EC2 calls it when its nodes are named after that. */
export function instanceOf({
  instance,
  node,
}: {
  readonly instance: string
  readonly node: string
}): string {
  if (instance !== '') return instance
  return /^i-[0-9a-f]{8,17}(?=\.|$)/.exec(node)?.[0] ?? ''
}
