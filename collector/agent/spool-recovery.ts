import { open, readdir, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { BatchName, SpoolPosition } from './spool-position.ts'
import { firstIndexOf, type Segment, SegmentReader, scanBytes } from './spool-segment.ts'

/** What an earlier process left. */
export interface Recovered {
  /** Oldest first, without what is shipped. */
  readonly segments: Segment[]
  /** Where the next batch to ship begins in the first segment, and its index. */
  readonly offset: number
  readonly head: number
  /** Index of the next batch to append. */
  readonly next: number
  readonly last: BatchName | undefined
  /**
   * False when the newest segment cannot be appended to, because the numbers of its entries would
   * not be their places any more.
   */
  readonly isWhole: boolean
  readonly tornBytes: number
}

/** Finds what is left to ship, and cuts what a death in mid-write left at the end. */
export async function recover(
  directory: string,
  position: SpoolPosition | undefined,
): Promise<Recovered> {
  const segments = await findSegments(directory, position?.segment ?? 0)
  const oldest = segments[0]
  const newest = segments.at(-1)
  const isKnown = oldest !== undefined && oldest.first === position?.segment
  const offset = isKnown ? Math.min(position.offset, oldest.bytes) : 0
  const known = position?.next ?? 0
  const head = isKnown ? position.head : (oldest?.first ?? known)
  if (newest === undefined) {
    const last = position?.last
    return { segments, offset, head, next: known, last, isWhole: true, tornBytes: 0 }
  }
  const isHead = segments.length === 1
  const reader = new SegmentReader()
  const { end, count, name } = await scan(reader, newest, isHead ? offset : 0)
  const endIndex = (isHead ? head : newest.first) + count
  const tornBytes = newest.bytes - end
  if (tornBytes > 0) await truncate(newest.path, end)
  newest.bytes = end
  const isWhole = endIndex >= known
  let last = isWhole ? (name ?? position?.last) : position?.last
  if (position === undefined) {
    for (const segment of segments.slice(0, -1).reverse()) {
      last ??= (await scan(reader, segment, 0)).name
    }
  }
  return { segments, offset, head, next: Math.max(known, endIndex), last, isWhole, tornBytes }
}

/** The segments from one on; those before it are shipped and deleted. */
async function findSegments(directory: string, from: number): Promise<Segment[]> {
  const segments: Segment[] = []
  for (const name of (await readdir(directory)).sort()) {
    const first = firstIndexOf(name)
    if (first === undefined) continue
    const path = join(directory, name)
    if (first < from) await rm(path)
    else segments.push({ first, path, bytes: (await stat(path)).size })
  }
  return segments
}

/** Where the last batch from a place on ends, how many entries that makes, and its name. */
async function scan(reader: SegmentReader, segment: Segment, start: number) {
  const found = { end: start, count: 0, name: undefined as BatchName | undefined }
  const handle = await open(segment.path, 'r')
  try {
    for (let at = start, count = 0; at < segment.bytes; ) {
      for (const stretch of await reader.read(handle, at, segment.bytes, 1024, scanBytes)) {
        at = stretch.end
        count += 1
        if (stretch.entry === undefined) continue
        const { run, sequence } = stretch.entry.header
        Object.assign(found, { end: at, count, name: { run, sequence } })
      }
    }
    return found
  } finally {
    await handle.close()
  }
}
