import { createHash } from 'node:crypto'
import { zstdCompressSync } from 'node:zlib'
import { encodeBatch, readHeader, type SyscallEvent } from '#events'
import type { LakeBatch } from '../../shared/read-batches.ts'

/** A batch of the node n1 as it lies in the lake, with a secret in what the node says of itself. */
export function lakeBatch(events: readonly SyscallEvent[], sequence = 1): LakeBatch {
  const counters = { seen: 9, filtered: 3, folded: 0, lost: { sink: 2 } }
  const bytes = encodeBatch(
    {
      ...{ cluster: 'c', node: 'n1', boot: 'b', run: 5n, sequence, previous: undefined, counters },
      ...{ sealedAt: 1n, rulesetHash: 'h', keyId: 'k', compression: 1 },
    },
    events,
    (body) => zstdCompressSync(body),
    [{ kind: 'events-lost', time: 1n, text: 'sink: 2, token=hunter2hunter2' }],
  )
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { key: 'batches/x', frame: sequence, header: readHeader(bytes), bytes, sha256 }
}
