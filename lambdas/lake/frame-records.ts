import { BatchError, encodeFrame, readHeader, splitRecord } from '#events'

/** What Firehose hands to a function that transforms. */
export interface TransformationEvent {
  readonly records: readonly {
    readonly recordId: string
    /** Base64. */
    readonly data: string
  }[]
}

export interface TransformationAnswer {
  readonly records: readonly {
    readonly recordId: string
    readonly result: 'Ok' | 'Dropped'
    /** Base64; of a dropped record, nothing. */
    readonly data: string
  }[]
}

export interface FrameFigures {
  readonly batches: number
  /** Of the batches, as they will lie in the lake. */
  readonly bytes: number
  /** Records that are no batch. */
  readonly dropped: number
}

/**
 * Makes records what a trace file is made of: each batch with its length before it, so that objects of
 * them one after the other can be read as they are. What a sensor announces of itself behind a batch,
 * its token too, is cut off and gets nowhere. A record that is no batch is dropped: within an object it
 * would cost those behind it, and the function that judges keeps it with the other failures.
 */
export function frameRecords({ records }: TransformationEvent): TransformationAnswer & {
  readonly figures: FrameFigures
} {
  const figures = { batches: 0, bytes: 0, dropped: 0 }
  const answers = records.map(({ recordId, data }) => {
    const { batch } = splitRecord(Buffer.from(data, 'base64'))
    if (!hasHeader(batch)) {
      figures.dropped += 1
      return { recordId, result: 'Dropped' as const, data: '' }
    }
    const frame = encodeFrame(batch)
    figures.batches += 1
    figures.bytes += frame.length
    return { recordId, result: 'Ok' as const, data: Buffer.from(frame).toString('base64') }
  })
  return { records: answers, figures }
}

/** A damaged body stays: a reader names it, and steps over it. */
function hasHeader(batch: Uint8Array): boolean {
  try {
    readHeader(batch)
    return true
  } catch (error) {
    if (error instanceof BatchError) return false
    throw error
  }
}
