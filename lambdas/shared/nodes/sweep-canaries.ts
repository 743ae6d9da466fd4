import { canarySeconds } from '#events'
import type { HealthMessage } from '../bus-messages.ts'
import { quoted } from '../sensor-finding.ts'
import { type CanaryItem, canaryGrace, canaryKey } from './canary.ts'
import { instanceOf, readDepartures } from './departures.ts'
import { said } from './judge-node.ts'
import { isOver, type NodeState } from './node-state.ts'
import { deadPath, type Pulse, pulseKey, type SweepOptions, type Swept } from './sweep-nodes.ts'

/** Looks at canaries by whose deadline the next one should have come. */
export async function sweepCanaries(
  keys: readonly string[],
  options: SweepOptions,
): Promise<Swept> {
  const { store, now, sha256 } = options
  const seconds = now()
  const items = await store.read(keys, seconds)
  const canaries = [...items].map(([key, { value, version }]) => ({
    ...{ key, version, canary: value as unknown as CanaryItem },
  }))
  const nextKey = ({ cluster, slot }: CanaryItem) => canaryKey(cluster, slot + 1)
  const next = await store.read(
    canaries.map(({ canary }) => nextKey(canary)),
    seconds,
  )
  const missing = canaries.flatMap(({ canary }) => (next.has(nextKey(canary)) ? [] : [canary]))
  const pulses = await store.read(
    missing.map(({ cluster }) => pulseKey(cluster)),
    seconds,
  )
  const pulseOf = ({ cluster }: CanaryItem) =>
    pulses.get(pulseKey(cluster))?.value as Pulse | undefined
  const lastHeard = await store.read(
    missing.flatMap((canary) => pulseOf(canary)?.node ?? []),
    seconds,
  )
  const nodeOf = (canary: CanaryItem) =>
    lastHeard.get(pulseOf(canary)?.node ?? '')?.value as NodeState | undefined
  const departed = await readDepartures(
    store,
    missing.flatMap((canary) => nodeOf(canary) ?? []).map(instanceOf),
    seconds,
  )
  const dead = missing.filter((canary) => {
    const node = nodeOf(canary)
    // The last node to be heard went in order: nobody is left to send one.
    return node === undefined || !(isOver(node) || departed.has(instanceOf(node)))
  })
  const told = dead.map((canary) => {
    const { cluster, slot } = canary
    // The silence of its last node was told: no need to say it twice.
    const isTold = nodeOf(canary)?.silence === 'told'
    const heard = pulseOf(canary)?.at ?? (slot + 1) * canarySeconds * 1000
    const text = `no canary of cluster ${quoted(cluster)} came within ${canarySeconds + canaryGrace} s of the last`
    const message: HealthMessage = {
      id: sha256(JSON.stringify(['dead-path', cluster, slot])),
      ...said({ cluster, node: '' }, 'dead-path', text, seconds * 1000),
    }
    return { findings: isTold ? [] : [deadPath(cluster, heard, text)], message }
  })
  return {
    findings: told.flatMap(({ findings }) => findings),
    health: told.map(({ message }) => message),
    async markTold() {
      await store.write(
        canaries.map(({ key, version, canary }) => ({
          ...{ key, from: version, expires: seconds + 86_400 },
          value: { ...canary, isDead: dead.includes(canary) },
        })),
      )
    },
  }
}
