import { readFileSync } from 'node:fs'
import type { Rule } from '#engine'
import type { BatchInfo, NoticeKind, SyscallEvent } from '#events'
import { BatchSigner } from './agent/batch-signer.ts'
import { Batcher } from './agent/batcher.ts'
import { Folder, type FolderFigures } from './agent/fold.ts'
import { Outbox } from './agent/outbox.ts'
import type { RunState } from './agent/run-state.ts'
import type { SensorLink } from './agent/sensor-link.ts'
import { ShipLimit, type ShipLimitFigures } from './agent/ship-limit.ts'
import { Spool, type SpoolFigures } from './agent/spool.ts'
import { compress, ZSTD } from './agent/zstd.ts'
import { CanaryClock } from './canary-clock.ts'
import type { Config } from './config/settings.ts'
import { Announcer } from './sinks/announcer.ts'
import type { BatchSink } from './sinks/batch-sink.ts'
import { type Reachability, Shipper, type ShipperFigures } from './sinks/shipper.ts'

export interface OutletOptions {
  readonly config: Config
  readonly node: string
  readonly boot: string
  readonly link: SensorLink
  readonly sink: BatchSink
  /** Makes a copy of an event that lasts, and may leave the node. */
  readonly keep: (event: SyscallEvent) => SyscallEvent
  /** Hash of the rules in force. */
  readonly rulesetHash: () => string
  readonly announce: (text: string) => void
  /** Id of this machine; "" while it is not known. */
  readonly instance: () => string
}

export interface OutletFigures {
  readonly fold: FolderFigures
  readonly limit: ShipLimitFigures
  readonly spool: SpoolFigures
  readonly ship: ShipperFigures
  readonly held: number
}

const nanoseconds = 1e9
const monotonic = () => process.hrtime.bigint()
const wallClock = () => BigInt(Date.now()) * 1_000_000n

/** Everything between the rules and the stream: limit, fold, batch, spool, ship. */
export class Outlet {
  readonly #spool: Spool
  readonly #shipper: Shipper
  readonly #batcher: Batcher
  readonly #folder: Folder
  readonly #limit: ShipLimit
  readonly #outbox: Outbox
  readonly #link: SensorLink
  readonly #state: RunState
  readonly #sink: BatchSink
  readonly #signer: BatchSigner
  readonly #canary: CanaryClock

  /** Opens the spool, and names in the state the last batch of the run before. */
  static async open(options: OutletOptions): Promise<Outlet> {
    const { directory, limit } = options.config.spool
    const { state } = options.link
    const spool = await Spool.open({
      directory,
      limitBytes: limit,
      onGivenUp: (batches, events) => {
        state.add('lost-spool', events)
        options.announce(`the spool is full: ${batches} batches with ${events} events given up`)
      },
    })
    return new Outlet(options, spool)
  }

  private constructor(options: OutletOptions, spool: Spool) {
    const { config, node, link, sink, announce, instance } = options
    const { state } = link
    const run = state.begin(spool.last)
    const { key, token } = config.identity
    const signer =
      key === '' ? BatchSigner.fromSeed(state.seed) : BatchSigner.fromPem(readFileSync(key, 'utf8'))
    const isSameRun = spool.last?.run === run
    this.#link = link
    this.#state = state
    this.#spool = spool
    this.#sink = sink
    this.#signer = signer
    this.#canary = new CanaryClock(node)
    const { publicKey, keyId } = signer
    this.#shipper = new Shipper({
      spool,
      sink,
      announce,
      records: new Announcer({
        ...{ publicKey, keyId, instance, tokenPath: token, say: announce },
        now: () => performance.now(),
      }),
      onRefused: (_, events) => state.add('lost-sink', events),
    })
    let carried = { queue: 0, spool: 0, folded: 0 }
    this.#batcher = new Batcher({
      describe: () => {
        const here = { ...this.#batcher.losses, folded: this.#folder.figures.folded }
        state.add('lost-queue', here.queue - carried.queue)
        state.add('lost-spool', here.spool - carried.spool)
        state.add('folded', here.folded - carried.folded)
        carried = here
        return this.#describe(options, run)
      },
      compress,
      wallClock,
      store: async (batch) => {
        await spool.append(signer.sign(batch))
        this.#shipper.wake()
      },
      firstSequence: isSameRun ? spool.last.sequence + 1 : 0,
      maxWait: BigInt(Math.round(config.batch.wait * nanoseconds)),
      heartbeat: BigInt(Math.round(config.batch.heartbeat * nanoseconds)),
      onSettled: () => this.#outbox.settle(),
      onError: (error) =>
        announce(`a batch is lost: ${error instanceof Error ? error.message : error}`),
    })
    this.#folder = new Folder({
      keep: options.keep,
      onFolded: (event) => this.#outbox.addFolded(event),
      window: BigInt(Math.round(config.fold.window * nanoseconds)),
    })
    this.#limit = new ShipLimit({
      perSecond: config.limit.events,
      announce: (text) => {
        announce(text)
        this.#outbox.notify('limited', text)
      },
    })
    this.#outbox = new Outbox({
      ring: link.ring,
      batcher: this.#batcher,
      folder: this.#folder,
      limit: this.#limit,
      state,
      keep: options.keep,
      now: monotonic,
      wallClock,
    })
  }

  #describe(
    { config, node, boot, rulesetHash }: OutletOptions,
    run: bigint,
  ): Omit<BatchInfo, 'sequence' | 'sealedAt'> {
    const { lost, rejected } = this.#link.counters()
    const state = this.#state
    const seen = rejected + state.total('records')
    return {
      cluster: config.cluster,
      node,
      boot,
      run,
      previous: state.previous,
      rulesetHash: rulesetHash(),
      counters: {
        seen,
        filtered: seen - state.total('matched'),
        folded: state.total('folded'),
        lost: {
          'ring-other': lost.other,
          'ring-file': lost.file,
          'ring-network': lost.network,
          'ring-process': lost.process,
          queue: state.total('lost-queue'),
          spool: state.total('lost-spool'),
          sink: state.total('lost-sink'),
          limit: state.total('lost-limit'),
        },
      },
      keyId: this.#signer.keyId,
      compression: ZSTD,
    }
  }

  get figures(): OutletFigures {
    return {
      fold: this.#folder.figures,
      limit: this.#limit.figures,
      spool: this.#spool.figures,
      ship: this.#shipper.figures,
      held: this.#link.ring.heldBytes,
    }
  }

  get reachability(): Reachability {
    return this.#shipper.reachability
  }

  start(): void {
    this.#shipper.start()
  }

  /** Takes an event that these rules may match; it is valid during the call only. */
  offer(event: SyscallEvent, rules: readonly Rule[]): void {
    this.#outbox.offer(event, rules)
  }

  notify(kind: NoticeKind, text: string): void {
    this.#outbox.notify(kind, text)
  }

  afterDrain(): void {
    this.#outbox.afterDrain()
  }

  tick(): void {
    if (this.#canary.isDue(Date.now() / 1000)) this.notify('canary', '')
    this.#outbox.tick()
  }

  /** Ends in order: a goodbye, everything durable, and shipped as far as the time allows. */
  async stop(limitMs: number): Promise<boolean> {
    await this.#outbox.stop('the agent stops')
    const isEmpty = await this.#shipper.flush(limitMs)
    await this.#sink.close()
    await this.#spool.close()
    return isEmpty
  }
}
