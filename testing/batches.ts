import { encodeBatch } from '#events'
import { makeEvent } from './events.ts'

/** A batch of a given name and about a given size, with the body as it is. */
export function makeBatch(options: {
  readonly sequence: number
  readonly run?: bigint
  readonly node?: string
  /** Bytes of body beyond the events. */
  readonly fill?: number
  readonly events?: number
}): Uint8Array {
  const { sequence, run = 1n, node = 'node-1', fill = 0, events = 1 } = options
  const made = encodeBatch(
    {
      cluster: 'test',
      node,
      boot: 'boot-1',
      run,
      sequence,
      previous: undefined,
      sealedAt: 1_700_000_000_000_000_000n,
      rulesetHash: '',
      counters: { seen: events, filtered: 0, folded: 0, lost: {} },
      keyId: '',
      compression: 0,
    },
    Array.from({ length: events }, () => makeEvent('getpid')),
    (body) => {
      const padded = new Uint8Array(body.length + fill).fill(sequence % 251)
      padded.set(body)
      return padded
    },
  )
  return made
}
