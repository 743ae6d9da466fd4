import { readFileSync } from 'node:fs'
import { encodeFrame, type SyscallEvent } from '#events'
import { Batcher } from '../collector/agent/batcher.ts'
import { keepEvent } from '../collector/agent/ring-event.ts'
import type { KernelCounters } from '../collector/agent/sensor-link.ts'
import { compress, ZSTD } from '../collector/agent/zstd.ts'

export interface RecordOptions {
  readonly node: string
  readonly rulesetHash: string
  readonly counters: () => KernelCounters
  /** Writes bytes, all of them, before it returns. */
  readonly write: (bytes: Uint8Array) => void
}

const TICK_MS = 250

/** Keeps events and writes them as a trace: batches, each with its length before it. */
export class RecordSink {
  readonly #batcher: Batcher
  readonly #timer: NodeJS.Timeout
  events = 0
  batches = 0
  bytes = 0

  constructor(options: RecordOptions) {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const run = crypto.getRandomValues(new BigUint64Array(1))[0]!
    this.#batcher = new Batcher({
      describe: () => {
        const { seen, rejected, lost } = options.counters()
        return {
          cluster: '',
          node: options.node,
          boot,
          run,
          previous: undefined,
          rulesetHash: options.rulesetHash,
          counters: {
            seen,
            filtered: rejected,
            folded: 0,
            lost: {
              'ring-other': lost.other,
              'ring-file': lost.file,
              'ring-network': lost.network,
              'ring-process': lost.process,
              ...this.#batcher.losses,
            },
          },
          keyId: '',
          compression: ZSTD,
        }
      },
      compress,
      wallClock: () => BigInt(Date.now()) * 1_000_000n,
      store: async (batch) => {
        options.write(encodeFrame(batch))
        this.batches += 1
        this.bytes += batch.length
      },
    })
    this.#timer = setInterval(() => this.#batcher.tick(now()), TICK_MS)
  }

  add(event: SyscallEvent): void {
    this.events += 1
    this.#batcher.add(keepEvent(event), now())
  }

  /** Writes what is left; resolves to a line about the whole. */
  async stop(): Promise<string> {
    clearInterval(this.#timer)
    await this.#batcher.flush(now())
    const { queue, spool } = this.#batcher.losses
    const each = this.events === 0 ? 0 : this.bytes / this.events
    return `${this.events} events in ${this.batches} batches, ${this.bytes} bytes (${each.toFixed(1)} an event), ${queue + spool} lost`
  }
}

function now(): bigint {
  return process.hrtime.bigint()
}
