import { createHash, randomBytes } from 'node:crypto'
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb'
import { all, type Budget } from './dynamo-calls.ts'
import type { Attributes } from './state-attributes.ts'

export interface DeadlinesOptions {
  readonly table: string
  /** Partitions that the deadlines of a minute are spread over. */
  readonly shards: number
  /** Milliseconds after which a deadline that no item has any more may go. */
  readonly graceMs: number
  /** Milliseconds of the epoch. */
  readonly clock: () => number
}

/** What a sweep looks at of an item. */
export interface Scheduled {
  readonly due?: number
  readonly expires: number
}

/**
 * Deadlines in the table of the state. Each is an entry of a bucket, one for each minute and shard;
 * a directory names the buckets there are.
 *
 * - An item with a deadline has an entry at that time or before: the entry is written first, and a
 *   deadline that moves to later leaves it where it is. The sweep finds it early and moves it.
 * - A bucket with an entry is in the directory: the directory is written after the entry, and a name
 *   is taken out only if nobody wrote it since the bucket was seen empty.
 * - An entry that no item has is taken away, but not before whoever wrote it must have ended.
 */
export class Deadlines {
  readonly #options: DeadlinesOptions
  /** Buckets in the directory, or on the way there. */
  readonly #listed = new Map<string, Promise<unknown>>()

  constructor(options: DeadlinesOptions) {
    this.#options = options
  }

  async add(key: string, due: number, budget: Budget): Promise<void> {
    const { table, shards, clock } = this.#options
    const hash = createHash('sha256').update(key).digest()
    const minute = minuteOf(due)
    const bucket = `${digits(minute)}#${hash.readUInt32BE(0) % shards}`
    const expires = { N: `${Math.floor(due) + keptSeconds}` }
    const put = (item: Attributes) =>
      budget.ask((client) =>
        client.send(
          new PutItemCommand({ TableName: table, Item: { ...item, token: newToken(), expires } }),
        ),
      )
    await put({
      pk: { S: entriesOf(bucket) },
      sk: { S: `${digits(due)}#${hash.toString('base64url', 0, 18)}` },
      key: { S: key },
      at: { N: `${clock()}` },
    })
    const list = () => put({ pk: { S: directory }, sk: { S: bucket } })
    if (minute <= minuteOf(clock() / 1000) + 5) {
      await list()
      return
    }
    // No sweep comes near this bucket for a while, so its name stays.
    if (this.#listed.size >= maxListed) this.#listed.clear()
    const listing = this.#listed.get(bucket) ?? list()
    this.#listed.set(bucket, listing)
    try {
      await listing
    } catch (error) {
      this.#listed.delete(bucket)
      throw error
    }
  }

  /** Keys whose item is due, the oldest first; what has become void is cleaned on the way. */
  async sweep(
    now: number,
    limit: number,
    read: (keys: readonly string[]) => Promise<ReadonlyMap<string, Scheduled>>,
    budget: Budget,
  ): Promise<string[]> {
    const named: string[] = []
    let found: { readonly key: string; readonly due: number }[] = []
    const buckets = await this.#query(directory, `${digits(minuteOf(now))}#~`, maxBuckets, budget)
    const minutes = Map.groupBy(buckets, ({ sk }) => Number(sk!.S!.split('#')[0]))
    for (const [minute, ofMinute] of minutes) {
      const most = limit + maxVoid
      const entries = (
        await all(
          ofMinute.map(async (bucket) => {
            const pk = entriesOf(bucket['sk']!.S!)
            const inBucket = await this.#query(pk, `${digits(now)}#~`, most, budget)
            if (inBucket.length === 0 && (minute + 1) * 60 <= now) {
              await this.#delete(bucket, budget)
            }
            return inBucket
          }),
        )
      ).flat()
      const items = await read([...new Set(entries.map(({ key }) => key!.S!))])
      await all(entries.map((entry) => this.#tidy(entry, items.get(entry['key']!.S!), now, budget)))
      for (const [key, { due, expires }] of items) {
        if (due !== undefined && due <= now && expires >= now) found.push({ key, due })
      }
      // An entry may lie in an earlier minute than its deadline: those wait for their minute.
      found = found.sort((a, b) => a.due - b.due || (a.key < b.key ? -1 : 1))
      while (found[0] !== undefined && minuteOf(found[0].due) <= minute && named.length < limit) {
        named.push(found.shift()!.key)
      }
      if (named.length >= limit) return [...new Set(named)]
    }
    return [...new Set([...named, ...found.map(({ key }) => key)])].slice(0, limit)
  }

  /** Moves an entry to where its item's deadline is now, or removes it. */
  async #tidy(entry: Attributes, item: Scheduled | undefined, now: number, budget: Budget) {
    // A writer whose clock is behind may still prolong an item that has just expired.
    if (item?.due !== undefined && item.expires + skewSeconds >= now) {
      if (item.due <= now) return
      await this.add(entry['key']!.S!, item.due, budget)
    } else if (this.#options.clock() - Number(entry['at']!.N) < this.#options.graceMs) return
    await this.#delete(entry, budget)
  }

  /** Unless somebody wrote it anew. */
  async #delete({ pk, sk, token }: Attributes, budget: Budget): Promise<void> {
    try {
      await budget.ask((client) =>
        client.send(
          new DeleteItemCommand({
            TableName: this.#options.table,
            Key: { pk: pk!, sk: sk! },
            ConditionExpression: '#token = :token',
            ExpressionAttributeNames: { '#token': 'token' },
            ExpressionAttributeValues: { ':token': token! },
          }),
        ),
      )
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error
    }
  }

  /** The first items of a partition up to a sort key, in order. */
  async #query(pk: string, upTo: string, most: number, budget: Budget): Promise<Attributes[]> {
    const found: Attributes[] = []
    let start: Attributes | undefined
    do {
      const page = await budget.ask((client) =>
        client.send(
          new QueryCommand({
            TableName: this.#options.table,
            ConsistentRead: true,
            KeyConditionExpression: 'pk = :pk AND sk <= :sk',
            ExpressionAttributeValues: { ':pk': { S: pk }, ':sk': { S: upTo } },
            Limit: most - found.length,
            ...(start !== undefined && { ExclusiveStartKey: start }),
          }),
        ),
      )
      found.push(...(page.Items ?? []))
      start = page.LastEvaluatedKey
    } while (start !== undefined && found.length < most)
    return found
  }
}

const directory = 'due'
const entriesOf = (bucket: string) => `due#${bucket}`
/** Seconds that an entry outlives its deadline: a sweep that rests for longer has lost it. */
const keptSeconds = 30 * 86_400
const skewSeconds = 300
const maxListed = 10_000
const maxBuckets = 10_000
/** Void entries of a bucket that one sweep gets past. */
const maxVoid = 1000

const minuteOf = (second: number) => Math.max(0, Math.floor(second / 60))
/** So that the order of texts is that of numbers. */
const digits = (value: number) => `${Math.max(0, Math.floor(value))}`.padStart(11, '0')
const newToken = () => ({ S: randomBytes(9).toString('base64url') })
