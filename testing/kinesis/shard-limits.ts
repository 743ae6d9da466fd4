import { createHash } from 'node:crypto'

/** A shard and the keys it takes, both ends included. */
export interface ShardRange {
  readonly shardId: string
  readonly start: bigint
  readonly end: bigint
}

const recordsPerSecond = 1000
const bytesPerSecond = 1 << 20

/** Counts what each shard was given in the second that runs. */
export class ShardLimits {
  readonly #shards: readonly ShardRange[]
  readonly #used = new Map<string, { second: number; records: number; bytes: number }>()

  constructor(shards: readonly ShardRange[]) {
    this.#shards = shards
  }

  /** Takes a record if its shard still may, at this time in milliseconds. */
  takes(partitionKey: string, bytes: number, now: number): boolean {
    const second = Math.floor(now / 1000)
    const shardId = this.shardOf(partitionKey)
    let used = this.#used.get(shardId)
    if (used?.second !== second) used = { second, records: 0, bytes: 0 }
    if (used.records >= recordsPerSecond || used.bytes + bytes > bytesPerSecond) return false
    used.records += 1
    used.bytes += bytes
    this.#used.set(shardId, used)
    return true
  }

  /** A key belongs to the shard whose range holds its MD5. */
  shardOf(partitionKey: string): string {
    const hash = BigInt(`0x${createHash('md5').update(partitionKey).digest('hex')}`)
    const found = this.#shards.find(({ start, end }) => start <= hash && hash <= end)
    if (found === undefined) throw new Error(`no open shard takes the key ${partitionKey}`)
    return found.shardId
  }
}
