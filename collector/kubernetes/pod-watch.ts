import { type ApiConnection, ApiError, type CallLimits } from './api-connection.ts'
import { type Clock, systemClock } from './clock.ts'
import { at, member, text } from './json.ts'
import { JsonSplitter } from './json-splitter.ts'
import { Pace, type PaceLimits } from './pace.ts'

/** Told of the pods of a node, each as parsed JSON of the API. */
export interface PodReceiver {
  /** A pod that is new or has changed, or is as before. */
  onPod(pod: unknown): void
  onGone(pod: unknown): void
  /** The uids of all pods there are: each of them was given to `onPod`, the others are gone. */
  onComplete(uids: ReadonlySet<string>): void
}

export interface PodWatchLimits extends PaceLimits {
  readonly list: CallLimits
  /** The total is what the server is asked for, and a little more. */
  readonly watch: Omit<CallLimits, 'total'>
  /** Milliseconds after which a server is to end a watch; up to a quarter less by chance. */
  readonly watchTime: number
  /** A watch that lasts this many milliseconds makes earlier failures forgotten. */
  readonly steady: number
  readonly podsPerPage: number
  readonly pages: number
  /** Bytes of one pod. */
  readonly podSize: number
}

const defaultLimits: PodWatchLimits = {
  callsPerMinute: 30,
  firstDelay: 1_000,
  longestDelay: 60_000,
  longestRetryAfter: 300_000,
  list: { answer: 10_000, idle: 15_000, total: 60_000 },
  // A server sends a bookmark about every minute.
  watch: { answer: 10_000, idle: 150_000 },
  watchTime: 300_000,
  steady: 30_000,
  podsPerPage: 100,
  pages: 100,
  // What etcd stores of an object at most is 1.5 MiB.
  podSize: 2 << 20,
}

/** Bytes of a list around its pods. */
const restLimit = 256 << 10

export interface PodWatchOptions {
  readonly connection: Pick<ApiConnection, 'get'>
  /** Name of the node whose pods are watched. */
  readonly node: string
  readonly receiver: PodReceiver
  readonly clock?: Clock
  readonly limits?: Partial<PodWatchLimits>
}

export interface PodWatchFigures {
  /** Calls made, the pages of lists among them. */
  readonly requests: number
  /** Lists after the first one, each because the server no longer knew where the last one stood. */
  readonly relists: number
  readonly errors: number
  readonly lastError: string | undefined
  /** Pods passed over because of their size. */
  readonly oversized: number
  /** A watch is open, or the list before it. */
  readonly connected: boolean
  /** Milliseconds since the server last said something; `undefined` when it never did. */
  readonly answerAge: number | undefined
}

/**
 * Knows the pods of a node by one list and a watch that is taken up again where it ended. Lists again
 * only when the server has forgotten that place (410). Whatever fails is tried again, ever more slowly.
 */
export class PodWatch {
  readonly #options: PodWatchOptions
  readonly #limits: PodWatchLimits
  readonly #clock: Clock
  readonly #pace: Pace
  /** Where the watch stands; `undefined` when a list is needed. */
  #version: string | undefined
  #expired = false
  #relists = 0
  #requests = 0
  #errors = 0
  #lastError: string | undefined
  #oversized = 0
  #connected = false
  #lastAnswer: number | undefined

  constructor(options: PodWatchOptions) {
    this.#options = options
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#clock = options.clock ?? systemClock
    this.#pace = new Pace(this.#limits, this.#clock)
  }

  get figures(): PodWatchFigures {
    return {
      requests: this.#requests,
      relists: this.#relists,
      errors: this.#errors,
      lastError: this.#lastError,
      oversized: this.#oversized,
      connected: this.#connected,
      answerAge: this.#lastAnswer === undefined ? undefined : this.#clock.now() - this.#lastAnswer,
    }
  }

  /** Lists and watches until the signal is aborted. Never rejects for what a server does. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let retryAfter: number | undefined
      try {
        if (this.#version === undefined) await this.#list(signal)
        if (await this.#watch(signal)) continue
      } catch (error) {
        if (signal.aborted) break
        this.#errors += 1
        this.#lastError = error instanceof Error ? error.message : String(error)
        if (error instanceof ApiError) {
          retryAfter = error.retryAfter
          if (error.status === 410) this.#expire()
        }
      }
      this.#connected = false
      await this.#pace.waitAfterFailure(retryAfter, signal)
    }
    this.#connected = false
  }

  /**
   * The first list may come from a server's cache, which costs it next to nothing. One after a 410
   * may not: the cache could be as old as the place that was forgotten.
   */
  async #list(signal: AbortSignal): Promise<void> {
    const { receiver } = this.#options
    const uids = new Set<string>()
    const query = { limit: String(this.#limits.podsPerPage) }
    let page: Record<string, string> = this.#expired ? {} : { resourceVersion: '0' }
    for (let pages = 0; pages < this.#limits.pages; pages++) {
      const splitter = this.#splitter(3, (pod) => {
        const uid = text(at(pod, 'metadata', 'uid'))
        if (uid !== undefined) uids.add(uid)
        receiver.onPod(pod)
      })
      await this.#get({ ...query, ...page }, this.#limits.list, splitter, signal)
      const metadata = member(splitter.end(), 'metadata')
      const next = text(member(metadata, 'continue'))
      if (next === undefined) {
        this.#version = text(member(metadata, 'resourceVersion'))
        if (this.#version === undefined) throw new SyntaxError('the list has no resourceVersion')
        receiver.onComplete(uids)
        return
      }
      page = { continue: next }
    }
    throw new RangeError(`the list has more than ${this.#limits.pages} pages`)
  }

  /** True when the watch ended after a while, as it should. */
  async #watch(signal: AbortSignal): Promise<boolean> {
    const { watch, watchTime, steady } = this.#limits
    const seconds = Math.ceil((watchTime * (1 - this.#clock.random() / 4)) / 1000)
    const start = this.#clock.now()
    const isSteady = () => {
      const result = this.#clock.now() - start >= steady
      if (result) this.#pace.reset()
      return result
    }
    try {
      await this.#get(
        {
          watch: 'true',
          allowWatchBookmarks: 'true',
          resourceVersion: this.#version!,
          timeoutSeconds: String(seconds),
        },
        { ...watch, total: seconds * 1000 + watch.answer },
        this.#splitter(1, (event) => this.#onEvent(event)),
        signal,
      )
    } finally {
      isSteady()
    }
    return isSteady()
  }

  #onEvent(event: unknown): void {
    const pod = member(event, 'object')
    const type = member(event, 'type')
    if (type === 'ERROR') {
      const code = member(pod, 'code')
      const message = text(member(pod, 'message')) ?? 'the watch ended with an error'
      throw new ApiError(typeof code === 'number' ? code : 0, message)
    }
    if (type === 'ADDED' || type === 'MODIFIED') this.#options.receiver.onPod(pod)
    else if (type === 'DELETED') this.#options.receiver.onGone(pod)
    this.#version = text(at(pod, 'metadata', 'resourceVersion')) ?? this.#version
  }

  #expire(): void {
    this.#version = undefined
    this.#expired = true
    this.#relists += 1
  }

  #splitter(depth: 1 | 3, onObject: (json: unknown) => void): JsonSplitter {
    return new JsonSplitter({ depth, objectLimit: this.#limits.podSize, restLimit, onObject })
  }

  async #get(
    query: Readonly<Record<string, string>>,
    limits: CallLimits,
    splitter: JsonSplitter,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#pace.takeTurn(signal)
    const { connection, node } = this.#options
    const parameters = new URLSearchParams({ fieldSelector: `spec.nodeName=${node}`, ...query })
    this.#requests += 1
    const heard = () => {
      this.#lastAnswer = this.#clock.now()
    }
    try {
      await connection.get(
        `/api/v1/pods?${parameters}`,
        limits,
        {
          onOpen: () => {
            this.#connected = true
            heard()
          },
          onPiece: (piece) => {
            heard()
            splitter.push(piece)
          },
        },
        signal,
      )
    } finally {
      this.#oversized += splitter.oversized
    }
  }
}
