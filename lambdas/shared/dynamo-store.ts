import { randomBytes } from 'node:crypto'
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { StateItem, StateStore, StateWrite } from '#correlate'
import { Deadlines } from './deadlines.ts'
import {
  all,
  type Budget,
  DynamoCalls,
  type DynamoCallsOptions,
  type DynamoCounts,
} from './dynamo-calls.ts'
import { decodeState, encodeState, type StoredState, stateKey } from './state-attributes.ts'

export interface DynamoStateStoreOptions extends DynamoCallsOptions {
  /** A table with the string keys `pk` and `sk` and the time to live `expires`. */
  readonly table: string
  /** Partitions that the deadlines of a minute are spread over: 4. May be changed at any time. */
  readonly deadlineShards?: number
  /** Milliseconds that an entry without item is kept for a writer that is slow: 60,000. */
  readonly deadlineGraceMs?: number
  /** Milliseconds of the epoch. */
  readonly clock?: () => number
}

export interface DynamoStateCounts extends DynamoCounts {
  conflicts: number
  /** Writes refused because an earlier attempt, whose answer was lost, had been taken. */
  lostAnswers: number
}

/**
 * State in one DynamoDB table. Reads are strongly consistent, in batches; each write is a put on
 * condition that the version is the one that was read.
 *
 * A write whose answer is lost is repeated, and may then fail on what it did itself. Each write
 * carries a random token, and a refusal brings the item that is there: with the same token, it was
 * this write that had been taken. Only if somebody else wrote upon it between the two attempts is it
 * told as a conflict; the caller reads again then, and finds its change in the value.
 */
export class DynamoStateStore implements StateStore {
  readonly #table: string
  readonly #calls: DynamoCalls
  readonly #deadlines: Deadlines
  readonly #counts = { conflicts: 0, lostAnswers: 0 }
  /** The items as last read or written here: spares a write the entry of a deadline that has one. */
  readonly #known = new Map<string, Pick<StoredState, 'version' | 'due'>>()
  /** The latest time that a reader named. */
  #now = 0

  constructor(options: DynamoStateStoreOptions) {
    this.#table = options.table
    this.#calls = new DynamoCalls(options)
    this.#deadlines = new Deadlines({
      table: options.table,
      shards: options.deadlineShards ?? 4,
      graceMs: options.deadlineGraceMs ?? 60_000,
      clock: options.clock ?? Date.now,
    })
  }

  get counts(): Readonly<DynamoStateCounts> {
    return { ...this.#calls.counts, ...this.#counts }
  }

  async read(keys: readonly string[], now: number): Promise<ReadonlyMap<string, StateItem>> {
    this.#now = Math.max(this.#now, now)
    const items = new Map<string, StateItem>()
    for (const stored of await this.#load(keys, this.#calls.budget())) {
      const { key, value, version } = stored
      if (isExpired(stored, now)) continue
      this.#remember(key, stored)
      items.set(key, { value, version })
    }
    return items
  }

  async write(writes: readonly StateWrite[]): Promise<readonly string[]> {
    const budget = this.#calls.budget()
    const prepared = writes.map((write) => {
      const token = randomBytes(9).toString('base64url')
      return { write, token, item: encodeState(write, token) }
    })
    const isTaken = await all(
      prepared.map(async ({ write, token, item }) => {
        await this.#schedule(write, budget)
        const isTaken = await this.#put(write, item, token, budget)
        if (isTaken) this.#remember(write.key, { ...write, version: write.from + 1 })
        else this.#counts.conflicts += 1
        return isTaken
      }),
    )
    return [...new Set(writes.filter((_, at) => !isTaken[at]).map(({ key }) => key))]
  }

  due(now: number, limit: number): Promise<readonly string[]> {
    this.#now = Math.max(this.#now, now)
    const budget = this.#calls.budget()
    const read = async (keys: readonly string[]) =>
      new Map((await this.#load(keys, budget)).map((stored) => [stored.key, stored]))
    return this.#deadlines.sweep(now, limit, read, budget)
  }

  close(): void {
    this.#calls.close()
  }

  /** Unless the item has a deadline that is no later: its entry leads to the new one. */
  async #schedule({ key, from, due }: StateWrite, budget: Budget): Promise<void> {
    if (due === undefined) return
    const known = this.#known.get(key)
    if (from > 0 && known?.version === from && known.due !== undefined && known.due <= due) return
    await this.#deadlines.add(key, due, budget)
  }

  async #put(
    { from }: StateWrite,
    Item: ReturnType<typeof encodeState>,
    token: string,
    budget: Budget,
  ): Promise<boolean> {
    // An expired item is as if it were not there, but it is: `over` is the token of one.
    const attempt = async (over?: string): Promise<boolean> => {
      try {
        await budget.ask((client) =>
          client.send(
            new PutItemCommand({
              TableName: this.#table,
              Item,
              ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
              ...condition(from, over),
            }),
          ),
        )
        return true
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error
        const there = error.Item && decodeState(error.Item)
        if (there?.token === token) {
          this.#counts.lostAnswers += 1
          return true
        }
        const isFree = from === 0 && there !== undefined && isExpired(there, this.#now)
        return isFree && over === undefined ? attempt(there.token) : false
      }
    }
    return attempt()
  }

  async #load(keys: readonly string[], budget: Budget): Promise<StoredState[]> {
    const wanted = [...new Set(keys)].map(stateKey)
    const batches = Array.from({ length: Math.ceil(wanted.length / batchLimit) }, (_, at) =>
      wanted.slice(at * batchLimit, (at + 1) * batchLimit),
    )
    const found = await all(
      batches.map(async (batch) => {
        const items: StoredState[] = []
        let left = batch
        for (let attempt = 0; left.length > 0; attempt += 1) {
          const RequestItems = { [this.#table]: { Keys: left, ConsistentRead: true } }
          const { Responses = {}, UnprocessedKeys = {} } = await budget.ask((client) =>
            client.send(new BatchGetItemCommand({ RequestItems })),
          )
          items.push(...(Responses[this.#table] ?? []).map(decodeState))
          const before = left.length
          left = UnprocessedKeys[this.#table]?.Keys ?? []
          if (left.length > 0) {
            // An answer is cut at 16 MB as well: what goes forward need not slow down.
            if (left.length < before) attempt = 0
            await budget.pause(attempt, new Error(`${left.length} keys were left unprocessed`))
          }
        }
        return items
      }),
    )
    return found.flat()
  }

  #remember(key: string, { version, due }: Pick<StoredState, 'version' | 'due'>): void {
    this.#known.delete(key)
    this.#known.set(key, { version, ...(due !== undefined && { due }) })
    if (this.#known.size > maxKnown) this.#known.delete(this.#known.keys().next().value!)
  }
}

/** What BatchGetItem takes. */
const batchLimit = 100
const maxKnown = 20_000

function isExpired({ expires }: StoredState, now: number): boolean {
  return expires < now
}

function condition(from: number, over: string | undefined) {
  if (over !== undefined) {
    return {
      ConditionExpression: 'attribute_not_exists(pk) OR #token = :token',
      ExpressionAttributeNames: { '#token': 'token' },
      ExpressionAttributeValues: { ':token': { S: over } },
    }
  }
  if (from === 0) return { ConditionExpression: 'attribute_not_exists(pk)' }
  return {
    ConditionExpression: '#n = :from',
    ExpressionAttributeNames: { '#n': 'n' },
    ExpressionAttributeValues: { ':from': { N: `${from}` } },
  }
}
