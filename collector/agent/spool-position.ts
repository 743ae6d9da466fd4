import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'

/** A batch by its numbers. */
export interface BatchName {
  readonly run: bigint
  readonly sequence: number
}

/** What a spool must know beyond its segments. */
export interface SpoolPosition {
  /** First index of the segment that the next batch to ship lies in. */
  readonly segment: number
  /** Where that batch begins in the segment. */
  readonly offset: number
  /** Its index. Every entry has one, counted since the spool was made. */
  readonly head: number
  /** Index of the next batch to append, as far as known when this was written. */
  readonly next: number
  /** The newest batch then. */
  readonly last: BatchName | undefined
  /** What was given up since the spool was made. */
  readonly givenUpBatches: number
  readonly givenUpEvents: number
}

const slotSize = 128
const magic = 0x31504e4c
const checked = 80

/**
 * The position in a file of two slots, written in turn and in place: a torn write leaves the other
 * slot, and a full disk does not hinder it.
 */
export class PositionFile {
  readonly #handle: FileHandle
  readonly #slot = Buffer.alloc(slotSize)
  #generation: bigint

  private constructor(handle: FileHandle, generation: bigint) {
    this.#handle = handle
    this.#generation = generation
  }

  /** Opens or makes the file, and reads the newest whole slot. */
  static async open(
    path: string,
  ): Promise<{ file: PositionFile; position: SpoolPosition | undefined }> {
    const handle = await open(path, 'a+', 0o600).then(async (made) => {
      // Appending would ignore where to write: `a+` only makes the file without emptying it.
      await made.close()
      return open(path, 'r+')
    })
    try {
      const slots = Buffer.alloc(2 * slotSize)
      const { bytesRead } = await handle.read(slots, 0, slots.length, 0)
      if (bytesRead < slots.length) await handle.write(slots, bytesRead, undefined, bytesRead)
      const found = [slots.subarray(0, slotSize), slots.subarray(slotSize)]
        .map(readSlot)
        .filter((slot) => slot !== undefined)
        .sort((a, b) => Number(b.generation - a.generation))[0]
      return {
        file: new PositionFile(handle, found?.generation ?? 0n),
        position: found?.position,
      }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  async write(position: SpoolPosition): Promise<void> {
    const generation = this.#generation + 1n
    writeSlot(this.#slot, generation, position)
    const at = (Number(generation) % 2) * slotSize
    const { bytesWritten } = await this.#handle.write(this.#slot, 0, slotSize, at)
    if (bytesWritten < slotSize) throw new Error('the position was only written in part')
    this.#generation = generation
  }

  async sync(): Promise<void> {
    await this.#handle.datasync()
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

function writeSlot(slot: Buffer, generation: bigint, position: SpoolPosition): void {
  const { last } = position
  slot.writeUInt32LE(magic, 0)
  slot.writeUInt32LE(last === undefined ? 0 : 1, 4)
  slot.writeBigUInt64LE(generation, 8)
  slot.writeBigUInt64LE(last?.run ?? 0n, 16)
  const numbers = [
    last?.sequence ?? 0,
    position.segment,
    position.offset,
    position.head,
    position.next,
    position.givenUpBatches,
    position.givenUpEvents,
  ]
  numbers.forEach((number, index) => {
    slot.writeBigUInt64LE(BigInt(number), 24 + 8 * index)
  })
  slot.writeUInt32LE(crc32(slot.subarray(0, checked)), checked)
}

function readSlot(
  slot: Buffer,
): { readonly generation: bigint; readonly position: SpoolPosition } | undefined {
  if (slot.readUInt32LE(0) !== magic) return undefined
  if (slot.readUInt32LE(checked) !== crc32(slot.subarray(0, checked))) return undefined
  const number = (index: number) => Number(slot.readBigUInt64LE(24 + 8 * index))
  const hasLast = slot.readUInt32LE(4) === 1
  return {
    generation: slot.readBigUInt64LE(8),
    position: {
      last: hasLast ? { run: slot.readBigUInt64LE(16), sequence: number(0) } : undefined,
      segment: number(1),
      offset: number(2),
      head: number(3),
      next: number(4),
      givenUpBatches: number(5),
      givenUpEvents: number(6),
    },
  }
}
