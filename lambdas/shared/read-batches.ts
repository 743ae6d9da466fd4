import { createHash } from 'node:crypto'
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import { BatchError, type BatchHeader, FrameError, FrameReader, readHeader } from '#events'

/** What is wanted of the lake's batches. Times are milliseconds of the epoch. */
export interface BatchesRange {
  readonly cluster: string
  readonly node: string
  /** Of events. */
  readonly from: number
  readonly to: number
  /** What matters most: when there is too much, what lies farthest from it is left out. */
  readonly around: number
}

export interface BatchLimits {
  /** Objects that are read; each holds a minute of the whole fleet, or 64 MiB. */
  readonly objects: number
  /** Bytes that are read of them. */
  readonly scanned: number
  /** Bytes of batches that are kept. */
  readonly kept: number
  /** Milliseconds after which no further object is begun. */
  readonly time: number
}

export interface LakeBatch {
  /** Where it lies: key of the object, and its number in it from 0. */
  readonly key: string
  readonly frame: number
  readonly header: BatchHeader
  readonly bytes: Uint8Array
  /** As hex. */
  readonly sha256: string
}

export interface ReadBatches {
  /** By time, each once. */
  readonly batches: readonly LakeBatch[]
  readonly objects: number
  readonly scanned: number
  /** What was left out, in words; empty when nothing was. */
  readonly cut: readonly string[]
  /** What could not be read, in words. */
  readonly problems: readonly string[]
}

const defaultLimits: BatchLimits = {
  ...{ objects: 240, scanned: 256 << 20, kept: 16 << 20, time: 20_000 },
}
/** Keys that are looked at before it is enough: a day of a fleet that fills an object every few seconds. */
const mostKeys = 20_000
const hourMs = 3_600_000
/** An object holds what arrives within this time after the one in its name. */
const objectMs = 900_000

/**
 * The batches of a node with events between two times, as they lie in the lake. An object that cannot be
 * read, or is damaged, is said, and the others are read all the same. Rejects when the lake cannot be listed.
 */
export async function readBatches(
  { s3, bucket }: { readonly s3: S3Client; readonly bucket: string },
  range: BatchesRange,
  limits: Partial<BatchLimits> = {},
  now: () => number = () => performance.now(),
): Promise<ReadBatches> {
  const began = now()
  const most = { ...defaultLimits, ...limits }
  const cut: string[] = []
  const problems: string[] = []
  const found = new Map<string, LakeBatch>()
  const keys = await keysIn(s3, bucket, range, cut)
  const distance = ({ time }: Key) => Math.abs(time - range.around)
  const wanted = keys.sort((a, b) => distance(a) - distance(b))
  let [objects, scanned, kept] = [0, 0, 0]
  for (const { key, size } of wanted) {
    const took = now() - began
    const isFull = objects >= most.objects || scanned + size > most.scanned || kept >= most.kept
    if (isFull || took > most.time) {
      cut.push(
        `${wanted.length - objects} of ${wanted.length} objects of the lake were not read: after ${objects} objects, ${scanned} bytes, ${kept} bytes of the node's batches and ${Math.round(took / 1000)} s it was enough`,
      )
      break
    }
    objects += 1
    scanned += size
    try {
      for await (const batch of batchesOf(s3, bucket, key, range)) {
        if (found.has(batch.sha256)) continue
        if (kept + batch.bytes.length > most.kept) {
          cut.push(`batches of ${key} from number ${batch.frame} on were not kept`)
          kept = most.kept
          break
        }
        kept += batch.bytes.length
        found.set(batch.sha256, batch)
      }
    } catch (error) {
      problems.push(`${key}: ${(error as Error).name}: ${(error as Error).message}`)
    }
  }
  const batches = [...found.values()].sort(byTime)
  return { batches, objects, scanned, cut, problems }
}

interface Key {
  readonly key: string
  readonly size: number
  /** When the first of it arrived; when that is not to be seen, when it matters. */
  readonly time: number
}

async function keysIn(
  s3: S3Client,
  Bucket: string,
  { from, to, around }: BatchesRange,
  cut: string[],
): Promise<Key[]> {
  const keys: Key[] = []
  let looked = 0
  const first = Math.floor((from - objectMs) / hourMs)
  const hours = Math.floor(to / hourMs) - first + 1
  for (let hour = 0; hour < hours; hour += 1) {
    const Prefix = prefixOf((first + hour) * hourMs)
    let ContinuationToken: string | undefined
    do {
      const page = await s3.send(
        new ListObjectsV2Command({
          ...{ Bucket, Prefix },
          ...(ContinuationToken !== undefined && { ContinuationToken }),
        }),
      )
      for (const { Key: key = '', Size: size = 0 } of page.Contents ?? []) {
        looked += 1
        const time = timeIn(key)
        if (time === undefined) keys.push({ key, size, time: around })
        else if (time >= from - objectMs && time <= to) keys.push({ key, size, time })
      }
      ContinuationToken = page.NextContinuationToken
    } while (ContinuationToken !== undefined && looked < mostKeys)
    if (looked >= mostKeys) {
      cut.push(
        `the lake has more than ${mostKeys} objects of these hours: later ones were left out`,
      )
      break
    }
  }
  return keys
}

function prefixOf(time: number): string {
  const [year, month, day, hour] = new Date(time).toISOString().split(/[-T:]/)
  return `batches/year=${year}/month=${month}/day=${day}/hour=${hour}/`
}

/** Firehose writes into the name when the first record came: `…-2026-11-26-18-20-01-<uuid>`. */
function timeIn(key: string): number | undefined {
  const [, day, hour, minute, second] =
    /-(\d{4}-\d\d-\d\d)-(\d\d)-(\d\d)-(\d\d)-[^/]*$/.exec(key) ?? []
  const time = Date.parse(`${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(time) ? undefined : time
}

/** What came before the place where an object is damaged is given first, then it throws. */
async function* batchesOf(
  s3: S3Client,
  Bucket: string,
  key: string,
  range: BatchesRange,
): AsyncGenerator<LakeBatch> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: key }))
  const reader = new FrameReader()
  let frame = 0
  for await (const piece of Body as AsyncIterable<Uint8Array>) {
    for (const bytes of reader.push(piece)) {
      const header = headerOf(bytes)
      if (header !== undefined && isWanted(header, range)) {
        const own = Uint8Array.from(bytes)
        const sha256 = createHash('sha256').update(own).digest('hex')
        yield { key, frame, header, bytes: own, sha256 }
      }
      frame += 1
    }
  }
  reader.end()
}

/** What is no batch belongs to no node. */
function headerOf(bytes: Uint8Array): BatchHeader | undefined {
  try {
    return readHeader(bytes)
  } catch (error) {
    if (error instanceof BatchError || error instanceof FrameError) return undefined
    throw error
  }
}

function isWanted(header: BatchHeader, { cluster, node, from, to }: BatchesRange): boolean {
  if (header.cluster !== cluster || header.node !== node || header.eventCount === 0) return false
  const milliseconds = (time: bigint) => Number(time / 1_000_000n)
  return milliseconds(header.lastTime) >= from && milliseconds(header.firstTime) <= to
}

function byTime({ header: a }: LakeBatch, { header: b }: LakeBatch): number {
  if (a.firstTime !== b.firstTime) return a.firstTime < b.firstTime ? -1 : 1
  if (a.run !== b.run) return a.run < b.run ? -1 : 1
  return a.sequence - b.sequence
}
