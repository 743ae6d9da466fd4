import { type BatchInfo, encodeBatch, type SyscallEvent } from '#events'
import { compress, ZSTD } from '../../collector/agent/zstd.ts'
import { makeContainer, makeEvent, makeFile, makeProcess } from '../events.ts'

/** Flags of an open for reading, in Falco's numbering. */
const readOnly = 1

/** Containers of a node, each with a shell below its first process. */
function containersOf(node: string, count: number) {
  return Array.from({ length: count }, (_, at) => {
    const container = makeContainer({
      fullId: Buffer.from(`${node} ${at}`).toString('hex').padEnd(64, '0').slice(0, 64),
      ...{ podUid: `uid-${node}-${at}`, podName: `web-${at}`, namespace: 'shop' },
    })
    const init = makeProcess({ pid: 1000 + at, comm: 'nginx', container, start: BigInt(at + 1) })
    return makeProcess({ pid: 2000 + at, parent: init, container, start: BigInt(at + 500) })
  })
}

/** A node of a fleet that makes batches, one a second. */
export class FleetNode {
  readonly #shells: readonly ReturnType<typeof makeProcess>[]
  readonly #info: Pick<BatchInfo, 'cluster' | 'node' | 'boot' | 'run'>
  #sequence = 0
  #event = 0

  constructor(
    name: string,
    options: { readonly containers?: number; readonly run?: bigint; readonly boot?: string } = {},
  ) {
    this.#shells = containersOf(name, options.containers ?? 5)
    const { run = BigInt(Buffer.from(name).readUIntBE(0, 2)) + 1n, boot = `boot-${name}` } = options
    this.#info = { cluster: 'prod', node: name, boot, run }
  }

  get sequence(): number {
    return this.#sequence
  }

  /** A batch of events at a time (nanoseconds), so many of which the library's rules match. */
  batch(time: bigint, events: number, matching: number, more: Partial<BatchInfo> = {}): Uint8Array {
    const made = Array.from({ length: events }, (_, at) => this.#make(time, at < matching))
    const info: BatchInfo = {
      ...this.#info,
      ...{ sequence: this.#sequence, previous: undefined, sealedAt: time + 1_000_000_000n },
      ...{ rulesetHash: '', keyId: '', compression: ZSTD },
      counters: { seen: this.#event, filtered: 0, folded: 0, lost: {} },
      ...more,
    }
    this.#sequence += 1
    return encodeBatch(info, made, compress)
  }

  #make(time: bigint, isMatching: boolean): SyscallEvent {
    this.#event += 1
    const shell = this.#shells[this.#event % this.#shells.length]!
    const process = makeProcess({
      pid: 5000 + (this.#event % 20_000),
      parent: shell,
      comm: 'cat',
      exe: 'cat',
      exePath: '/usr/bin/cat',
      ...(shell.container !== undefined && { container: shell.container }),
      start: BigInt(this.#event),
    })
    const name = isMatching ? '/etc/shadow' : `/var/lib/app/${this.#event % 300}`
    return makeEvent('openat', {
      ...{ seq: this.#event, time: time + BigInt(this.#event % 1000) * 1_000_000n, process },
      ...{ fd: makeFile(name), result: 3, args: { name, flags: readOnly }, paths: { name } },
    })
  }
}
