import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import {
  type Batch,
  BatchError,
  batchLimit,
  decodeBatch,
  encodeBatch,
  encodeFrame,
  type SyscallEvent,
} from '#events'
import type { LakeBatch, ReadBatches } from '../../shared/read-batches.ts'
import { sha256 } from '../plan/plan.ts'
import { redactText } from './redact.ts'
import { EventRedactor } from './redact-event.ts'

/** Whose events are taken. */
export interface Whose {
  readonly uid: string
  /** Ids of its containers, twelve characters each. */
  readonly containers: readonly string[]
}

export interface RecordedEvents {
  /** Frames of batches without their secrets: `lanner replay` reads them. */
  readonly trace: Uint8Array
  /** What the trace was made of, and what is not in it. */
  readonly description: RecordedDescription
}

export interface RecordedDescription {
  /** Of the events, ISO 8601. */
  readonly from: string
  readonly to: string
  readonly events: number
  /** SHA-256 of the trace. */
  readonly trace: string
  /** Texts that look like secrets and all values of variables were replaced: signatures hold no more. */
  readonly redacted: true
  readonly objects: number
  readonly scanned: number
  readonly cut: readonly string[]
  readonly problems: readonly string[]
  /** The batches as the node wrote them, for whoever may look into the lake. */
  readonly batches: readonly {
    readonly key: string
    readonly frame: number
    readonly sha256: string
    readonly run: string
    readonly sequence: number
    readonly keyId: string
    readonly events: number
  }[]
}

/** Events that a trace may have; each is looked through for secrets. */
export const mostEvents = 50_000
/** Number of zstd in a batch's header. */
const zstd = 1

/** The events of a pod out of the batches of its node, as a trace that can be replayed. */
export function recordedEvents(
  { batches, objects, scanned, cut, problems }: ReadBatches,
  whose: Whose,
  { from, to }: { readonly from: number; readonly to: number },
): RecordedEvents {
  const frames: Uint8Array[] = []
  const used: RecordedDescription['batches'][number][] = []
  const [cuts, wrong] = [[...cut], [...problems]]
  let events = 0
  for (const [i, lakeBatch] of batches.entries()) {
    if (events >= mostEvents) {
      cuts.push(`${batches.length - i} batches were left out after ${events} events`)
      break
    }
    try {
      const batch = decodeBatch(lakeBatch.bytes, decompress)
      const own = batch.events.filter((event) => isOf(event, whose))
      if (own.length === 0) continue
      const kept = own.slice(0, mostEvents - events)
      if (kept.length < own.length) cuts.push(`events after the first ${mostEvents} were left out`)
      frames.push(encodeFrame(withoutSecrets(batch, kept)))
      events += kept.length
      used.push(describe(lakeBatch, kept.length))
    } catch (error) {
      if (!(error instanceof BatchError || error instanceof RangeError)) throw error
      wrong.push(`${lakeBatch.key}, batch ${lakeBatch.frame}: ${error.message}`)
    }
  }
  const trace = Buffer.concat(frames)
  const iso = (time: number) => new Date(time).toISOString()
  return {
    trace,
    description: {
      ...{ from: iso(from), to: iso(to), events, trace: sha256(trace), redacted: true },
      ...{ objects, scanned, cut: cuts, problems: wrong, batches: used },
    },
  }
}

function isOf({ process: { container } }: SyscallEvent, { uid, containers }: Whose): boolean {
  if (container === undefined) return false
  return container.podUid === uid || containers.includes(container.id)
}

function withoutSecrets({ header, notices }: Batch, events: readonly SyscallEvent[]): Uint8Array {
  const redactor = new EventRedactor()
  const clean = events.map((event) => redactor.redact(event))
  const said = notices.map((notice) => ({ ...notice, text: redactText(notice.text) }))
  const info = { ...header, keyId: '', compression: zstd }
  const bytes = encodeBatch(info, clean, (body) => zstdCompressSync(body), said)
  if (bytes.length > batchLimit) throw new RangeError('it is too long without its secrets')
  return bytes
}

function describe({ key, frame, header, sha256: hash }: LakeBatch, events: number) {
  const { run, sequence, keyId } = header
  return { key, frame, sha256: hash, run: String(run), sequence, keyId, events }
}

function decompress(body: Uint8Array, limit: number, compression: number): Uint8Array {
  if (compression !== zstd) throw new Error(`compression ${compression} is not known here`)
  return zstdDecompressSync(body, { maxOutputLength: Math.max(limit, 1) })
}
