import { zstdDecompressSync } from 'node:zlib'
import { type Announcement, type Batch, BatchError, decodeBatch, splitRecord } from '#events'

/** A record as Lambda hands it over. */
export interface KinesisRecord {
  readonly eventID: string
  readonly kinesis: {
    readonly partitionKey: string
    readonly sequenceNumber: string
    /** Base64. */
    readonly data: string
    /** Seconds of the epoch. */
    readonly approximateArrivalTimestamp: number
  }
}

export interface KinesisEvent {
  readonly Records: readonly KinesisRecord[]
}

/** A record that is a batch. */
export interface ReadRecord {
  readonly record: KinesisRecord
  readonly batch: Batch
  /** Of the batch, without what the node announces of itself. */
  readonly bytes: Uint8Array
  readonly announcement: Announcement | undefined
  /** Milliseconds of the epoch. */
  readonly arrivedAt: number
}

/** A record that is none, however often it is read. */
export interface PoisonRecord {
  readonly record: KinesisRecord
  readonly reason: string
}

/** Number of zstd in a batch's header. */
const zstd = 1

/** Reads a record; what its bytes are decides alone, so that trying again is of no use. */
export function readRecord(record: KinesisRecord): ReadRecord | PoisonRecord {
  const { data, approximateArrivalTimestamp } = record.kinesis
  try {
    const { batch: bytes, announcement } = splitRecord(Buffer.from(data, 'base64'))
    const batch = decodeBatch(bytes, decompress)
    return { record, batch, bytes, announcement, arrivedAt: approximateArrivalTimestamp * 1000 }
  } catch (error) {
    if (!(error instanceof BatchError)) throw error
    return { record, reason: error.message }
  }
}

function decompress(body: Uint8Array, limit: number, compression: number): Uint8Array {
  if (compression !== zstd) throw new Error(`compression ${compression} is not known here`)
  return zstdDecompressSync(body, { maxOutputLength: Math.max(limit, 1) })
}
