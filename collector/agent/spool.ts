import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type BatchHeader, readHeader } from '#events'
import { reasonOf, SpoolError } from './spool-error.ts'
import { lockDirectory, type Unlock } from './spool-lock.ts'
import { type BatchName, PositionFile, type SpoolPosition } from './spool-position.ts'
import { recover } from './spool-recovery.ts'
import {
  lengthSize,
  type Segment,
  SegmentReader,
  type Stretch,
  scanBytes,
  segmentName,
  writeFrame,
} from './spool-segment.ts'

export interface SpoolOptions {
  /** Made when missing; nothing else may lie in it. */
  readonly directory: string
  /** Bytes on disk at most. 256 MiB by default. */
  readonly limitBytes?: number
  /** Size of a segment, the unit of giving up: 4 MiB by default, at most a quarter of the limit. */
  readonly segmentBytes?: number
  /**
   * When bytes are forced to the disk. They survive the death of this process in any case; against
   * that of the machine, `segment` (default) makes all but the last segment safe and `batch` each
   * batch before {@link Spool.append} resolves, at a journal commit of the node's disk each time.
   */
  readonly sync?: 'segment' | 'batch'
  /** Told of batches that were thrown away unsent to stay within the limit. */
  readonly onGivenUp?: (batches: number, events: number) => void
}

/** A batch that waits to be shipped. */
export interface SpoolEntry {
  /** Grows by one an entry; not the batch's sequence, which starts anew with each run. */
  readonly index: number
  /** Good until the next call of {@link Spool.next}. */
  readonly batch: Uint8Array
  readonly header: BatchHeader
}

export interface SpoolFigures {
  /** On disk, with what is shipped and not deleted yet. */
  readonly bytes: number
  readonly segments: number
  /** Batches not released yet. */
  readonly waiting: number
  /** Since the spool was made. A batch given up while it was being sent may have arrived. */
  readonly givenUpBatches: number
  readonly givenUpEvents: number
  /** Since this process opened it: bytes cut from the end, torn by a death in mid-write. */
  readonly tornBytes: number
  /** Since this process opened it: stretches that were no batch, and their bytes. */
  readonly damaged: number
  readonly damagedBytes: number
}

/**
 * Batches on disk between the agent and the service, in order, bounded, through restarts and kills.
 * A batch may be seen again after a kill, never skipped. Calls may overlap; they run one by one.
 */
export class Spool {
  readonly #options: Required<SpoolOptions>
  readonly #unlock: Unlock
  readonly #positions: PositionFile
  readonly #reader = new SegmentReader()
  /** Oldest first. The last is appended to while `#writing` is open. */
  #segments: Segment[] = []
  #writing: FileHandle | undefined
  /** A failed write left bytes behind the last batch. */
  #unclean = false
  #reading: { readonly segment: Segment; readonly handle: FileHandle } | undefined
  /** Where the next batch to ship begins in the first segment, and its index. */
  #offset = 0
  #head = 0
  /** Index of the next batch to append. */
  #next = 0
  #last: BatchName | undefined
  /** Where the batches of the last {@link next} end. */
  #lent: { readonly segment: Segment; readonly index: number; readonly end: number }[] = []
  #givenUpBatches = 0
  #givenUpEvents = 0
  #tornBytes = 0
  #damaged = 0
  #damagedBytes = 0
  #closed = false
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(options: SpoolOptions, unlock: Unlock, positions: PositionFile) {
    const limitBytes = options.limitBytes ?? 256 << 20
    this.#options = {
      sync: 'segment',
      onGivenUp: () => {},
      ...options,
      limitBytes,
      segmentBytes: Math.min(options.segmentBytes ?? 4 << 20, Math.floor(limitBytes / 4)),
    }
    this.#unlock = unlock
    this.#positions = positions
  }

  /** Takes the directory and what an earlier process left in it. Throws a {@link SpoolError}. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const { directory } = options
    let unlock: Unlock | undefined
    let positions: PositionFile | undefined
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      unlock = await lockDirectory(directory)
      const { file, position } = await PositionFile.open(join(directory, 'position'))
      positions = file
      const spool = new Spool(options, unlock, positions)
      await spool.#takeOver(position)
      return spool
    } catch (error) {
      await positions?.close()
      await unlock?.()
      if (error instanceof SpoolError) throw error
      const reason = reasonOf(error)
      throw new SpoolError('unusable', `the spool ${directory} cannot be used: ${reason}`, error)
    }
  }

  /** The newest batch ever made durable here, by any run, shipped or not. */
  get last(): BatchName | undefined {
    return this.#last
  }

  get figures(): SpoolFigures {
    return {
      bytes: this.#bytes,
      segments: this.#segments.length,
      waiting: this.#next - this.#head,
      givenUpBatches: this.#givenUpBatches,
      givenUpEvents: this.#givenUpEvents,
      tornBytes: this.#tornBytes,
      damaged: this.#damaged,
      damagedBytes: this.#damagedBytes,
    }
  }

  /**
   * Makes a batch durable. When it rejects ({@link SpoolError}, or `BatchError` for bytes that are no
   * batch), nothing of the batch is kept and a later append works as if it had not been tried.
   */
  append(batch: Uint8Array): Promise<void> {
    return this.#inTurn(() => this.#append(batch))
  }

  /**
   * The oldest batches, in order, without removing them: at least one when there is any, and no more
   * than asked for unless the first alone has more bytes.
   */
  next(maxBatches: number, maxBytes: number): Promise<SpoolEntry[]> {
    return this.#inTurn(() => this.#peek(maxBatches, maxBytes))
  }

  /** Lets the batches of the last {@link next} go up to and with this index, durably. */
  release(upTo: number): Promise<void> {
    return this.#inTurn(async () => {
      const lent = this.#lent.findLast(({ index }) => index <= upTo)
      // What was given up in the meantime is gone already.
      if (lent === undefined || lent.segment !== this.#segments[0] || lent.end <= this.#offset)
        return
      this.#offset = lent.end
      this.#head = lent.index + 1
      await this.#dropReleased()
      await this.#remember()
    })
  }

  /** Forces everything to the disk and gives the directory back. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      this.#closed = true
      try {
        await this.#remember()
        await this.#finishSegment()
      } finally {
        await this.#stopReading()
        await this.#positions.close()
        await this.#unlock()
      }
    })
  }

  get #bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => {
      if (this.#closed) throw new SpoolError('closed', 'the spool is closed')
      return act()
    })
    this.#turn = turn.catch(() => {})
    return turn
  }

  async #append(batch: Uint8Array): Promise<void> {
    const { directory, limitBytes, segmentBytes, sync } = this.#options
    const { run, sequence } = readHeader(batch)
    const size = lengthSize + batch.length
    if (size > limitBytes) {
      throw new SpoolError('full', `a batch of ${batch.length} bytes does not fit ${directory}`)
    }
    try {
      const filled = this.#writing ? this.#segments.at(-1)!.bytes : 0
      // An empty segment takes any batch: another one would have its name.
      if (filled > 0 && filled + size > segmentBytes) await this.#finishSegment()
      await this.#dropReleased()
      while (this.#segments.length > 0 && this.#bytes + size > limitBytes) await this.#giveUp()
      const handle = this.#writing ?? (await this.#startSegment())
      const segment = this.#segments.at(-1)!
      if (this.#unclean) await handle.truncate(segment.bytes)
      this.#unclean = true
      try {
        await writeFrame(handle, batch, segment.bytes)
        if (sync === 'batch') await handle.datasync()
      } catch (error) {
        await handle.truncate(segment.bytes).then(
          () => {
            this.#unclean = false
          },
          () => {}, // tried again before the next write
        )
        throw error
      }
      this.#unclean = false
      segment.bytes += size
      this.#next += 1
      this.#last = { run, sequence }
    } catch (error) {
      const full = ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')
      throw new SpoolError(
        full ? 'full' : 'io',
        full
          ? `the disk of the spool ${directory} is full`
          : `the spool ${directory} cannot be written: ${reasonOf(error)}`,
        error,
      )
    }
  }

  async #peek(maxBatches: number, maxBytes: number): Promise<SpoolEntry[]> {
    this.#lent = []
    for (;;) {
      await this.#dropReleased()
      const segment = this.#segments[0]
      if (segment === undefined || this.#offset >= segment.bytes) {
        this.#reader.shrink()
        return []
      }
      const stretches = await this.#read(this.#reader, segment, maxBatches, maxBytes)
      const entries: SpoolEntry[] = []
      for (const { end, entry } of stretches) {
        if (entry === undefined) break
        const index = this.#head + entries.length
        entries.push({ index, ...entry })
        this.#lent.push({ segment, index, end })
      }
      if (entries.length > 0) return entries
      this.#skipDamage(stretches[0]!)
    }
  }

  async #read(
    reader: SegmentReader,
    segment: Segment,
    maxBatches: number,
    maxBytes: number,
  ): Promise<Stretch[]> {
    if (this.#reading?.segment !== segment) {
      await this.#stopReading()
      this.#reading = { segment, handle: await open(segment.path, 'r') }
    }
    const { handle } = this.#reading
    return reader.read(handle, this.#offset, segment.bytes, maxBatches, maxBytes)
  }

  async #stopReading(): Promise<void> {
    const reading = this.#reading
    this.#reading = undefined
    await reading?.handle.close()
  }

  /** Goes past bytes at the head that are no batch; one batch is taken to have been there. */
  #skipDamage({ start, end }: Stretch): void {
    this.#damaged += 1
    this.#damagedBytes += end - start
    this.#offset = end
    this.#head = Math.min(this.#head + 1, this.#next)
  }

  /** Deletes the first segments when all of them is released, apart from the one written to. */
  async #dropReleased(): Promise<void> {
    while (this.#segments.length > 0 && this.#offset >= this.#segments[0]!.bytes) {
      if (this.#segments.length === 1 && this.#writing) return
      await this.#dropFirst()
    }
  }

  /** Deletes the first segment, after it is written down that it is not needed. */
  async #dropFirst(): Promise<void> {
    const segment = this.#segments.shift()!
    this.#offset = 0
    this.#head = this.#segments[0]?.first ?? this.#next
    await this.#remember()
    if (this.#reading?.segment === segment) await this.#stopReading()
    await rm(segment.path, { force: true })
  }

  async #giveUp(): Promise<void> {
    const segment = this.#segments[0]!
    // Not the reader whose buffer holds what is being sent.
    const reader = new SegmentReader()
    let batches = 0
    let events = 0
    while (this.#offset < segment.bytes) {
      // What cannot be read must not hold the room that the next batch needs.
      const unreadable: Stretch = { start: this.#offset, end: segment.bytes, entry: undefined }
      const stretches = await this.#read(reader, segment, 1024, scanBytes).catch(() => [unreadable])
      for (const stretch of stretches) {
        if (stretch.entry === undefined) this.#skipDamage(stretch)
        else {
          batches += 1
          events += stretch.entry.header.eventCount
        }
        this.#offset = stretch.end
      }
    }
    this.#givenUpBatches += batches
    this.#givenUpEvents += events
    await this.#dropFirst()
    if (batches > 0) this.#options.onGivenUp(batches, events)
  }

  async #startSegment(): Promise<FileHandle> {
    const path = join(this.#options.directory, segmentName(this.#next))
    // From here on the newest batch may stand in no segment.
    await this.#remember()
    const handle = await open(path, 'wx', 0o600)
    this.#segments.push({ first: this.#next, path, bytes: 0 })
    if (this.#segments.length === 1) {
      this.#offset = 0
      this.#head = this.#next
    }
    this.#writing = handle
    return handle
  }

  async #finishSegment(): Promise<void> {
    const handle = this.#writing
    this.#writing = undefined
    this.#unclean = false
    if (handle === undefined) return
    try {
      await handle.datasync()
      await this.#positions.sync()
    } finally {
      await handle.close()
    }
  }

  #remember(): Promise<void> {
    return this.#positions.write({
      segment: this.#segments[0]?.first ?? this.#next,
      offset: this.#offset,
      head: this.#head,
      next: this.#next,
      last: this.#last,
      givenUpBatches: this.#givenUpBatches,
      givenUpEvents: this.#givenUpEvents,
    })
  }

  /** Takes over what lies in the directory. */
  async #takeOver(position: SpoolPosition | undefined): Promise<void> {
    const { directory, segmentBytes } = this.#options
    const found = await recover(directory, position)
    this.#segments = found.segments
    this.#offset = found.offset
    this.#head = found.head
    this.#next = found.next
    this.#last = found.last
    this.#tornBytes = found.tornBytes
    this.#givenUpBatches = position?.givenUpBatches ?? 0
    this.#givenUpEvents = position?.givenUpEvents ?? 0
    const newest = this.#segments.at(-1)
    if (newest !== undefined && found.isWhole && newest.bytes < segmentBytes) {
      this.#writing = await open(newest.path, 'r+')
    }
    await this.#remember()
  }
}
