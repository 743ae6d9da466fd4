import { closeSync, readSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { encodeFilter, type KernelFilter } from './kernel-filter.ts'
import {
  CONTROL,
  CPU_COUNTERS,
  CPU_COUNTERS_BYTES,
  lossClasses,
  MAX_CPUS,
  PROGRESS,
  RING_BYTES,
} from './layout.ts'
import { Ring } from './ring.ts'
import { RunState } from './run-state.ts'

/** Descriptors the sensor hands over; the same numbers as in `collector/sensor/sensor.h`. */
const Fd = { ring: 10, control: 11, progress: 12, counters: 13, kept: 14, requests: 15 } as const
const RequestKind = { snapshot: 1, passwd: 2, group: 3, devices: 4, filter: 5 } as const
const REQUEST_HEAD_BYTES = 8
const REPLY_HEAD_BYTES = 8
const MAX_REPLY_BYTES = 128 << 10
const PAGE = 4096

/** The native addon, see `collector/sensor/ring-addon.c`. */
interface RingAddon {
  mapRing(
    fd: number,
    bytes: number,
  ): [consumer: ArrayBuffer, producerAndData: ArrayBuffer, reader: ArrayBuffer]
  mapPage(fd: number, bytes: number, writable: 0 | 1): ArrayBuffer
  start(callback: () => void): void
  stop(): void
  trim(): void
}

export interface KernelCounters {
  /** Wanted system calls that ended. */
  readonly seen: number
  /** Of these, dropped by the kernel's own filters. */
  readonly rejected: number
  /** Why: of a process that no rule for the call is about, an open of a kind or path that none wants. */
  readonly rejectedFor: Readonly<Record<'scope' | 'class' | 'path', number>>
  /** Records that found no room, by class. */
  readonly lost: Readonly<Record<(typeof lossClasses)[number], number>>
  /** 32-bit calls that have no native counterpart. */
  readonly compatUnmapped: number
}

/** The agent's end of everything it shares with the sensor and the kernel. */
export class SensorLink {
  readonly ring: Ring
  readonly control: ArrayBuffer
  /** What outlives this process: the next agent of the same sensor goes on with it. */
  readonly state: RunState
  readonly #addon: RingAddon
  readonly #progress: ArrayBuffer
  readonly #counters: BigUint64Array
  #snapshotting = false
  /** One for all answers: a new one each would be most of what the agent allocates. */
  readonly #reply = new Uint8Array(REPLY_HEAD_BYTES + MAX_REPLY_BYTES)

  /** @param addonPath of the built `ring.node` */
  constructor(addonPath: string) {
    this.#addon = createRequire(import.meta.url)(addonPath) as RingAddon
    const [consumer, data, reader] = this.#addon.mapRing(Fd.ring, RING_BYTES)
    this.ring = new Ring(consumer, data, RING_BYTES, reader)
    this.control = this.#addon.mapPage(Fd.control, PAGE, 0)
    this.state = new RunState(this.#addon.mapPage(Fd.kept, PAGE, 1))
    this.#progress = this.#addon.mapPage(Fd.progress, PAGE, 0)
    this.#counters = new BigUint64Array(
      this.#addon.mapPage(Fd.counters, MAX_CPUS * CPU_COUNTERS_BYTES, 0),
    )
    // mapped to read: whatever goes wrong here later, nobody maps them to write
    for (const fd of [Fd.control, Fd.progress, Fd.counters]) closeSync(fd)
  }

  /** Calls back on the main thread whenever the ring may hold records. */
  onEvents(callback: () => void): void {
    this.#addon.start(callback)
  }

  stop(): void {
    this.#addon.stop()
  }

  /** Gives memory that was freed back to the system. */
  trim(): void {
    this.#addon.trim()
  }

  /**
   * Takes effect with the next system call, whole. Throws when the sensor refuses; then what was in
   * force stays so.
   */
  setFilter(filter: KernelFilter): void {
    this.awaitSnapshot()
    const { entries, body } = encodeFilter(filter)
    const message = new Uint8Array(REQUEST_HEAD_BYTES + body.length)
    new Uint32Array(message.buffer, 0, 2).set([RequestKind.filter, entries])
    message.set(body, REQUEST_HEAD_BYTES)
    writeSync(Fd.requests, message)
    const { status } = this.#receive()
    if (status < 0) throw new Error(`the sensor refused the filter (errno ${-status})`)
  }

  /** How often somebody else changed or detached the kernel side, and the sensor put it right. */
  get tampered(): number {
    return new Uint32Array(this.control, CONTROL.tampered, 1)[0]!
  }

  counters(): KernelCounters {
    const sum = (offset: number) => {
      let total = 0
      for (let cpu = 0; cpu < MAX_CPUS; cpu++) {
        total += Number(this.#counters[(cpu * CPU_COUNTERS_BYTES + offset) / 8]!)
      }
      return total
    }
    const lost = new BigUint64Array(this.#progress, PROGRESS.lost, lossClasses.length)
    return {
      seen: sum(CPU_COUNTERS.seen),
      rejected: sum(CPU_COUNTERS.rejected),
      rejectedFor: {
        scope: sum(CPU_COUNTERS.rejected_scope),
        class: sum(CPU_COUNTERS.rejected_class),
        path: sum(CPU_COUNTERS.rejected_path),
      },
      lost: Object.fromEntries(
        lossClasses.map((name, i) => [name, Number(lost[i]!)]),
      ) as KernelCounters['lost'],
      compatUnmapped: Number(new BigUint64Array(this.#progress, PROGRESS.compat_unmapped, 1)[0]!),
    }
  }

  /** Asks for the processes that already run; they arrive in the ring, then the ready mark. */
  requestSnapshot(): void {
    this.#send(RequestKind.snapshot, 0)
    this.#snapshotting = true
  }

  /**
   * Waits for the answer to {@link requestSnapshot}: at most about five seconds. Until then the
   * sensor answers nothing else, and everything asked of it is unknown.
   */
  awaitSnapshot(): void {
    if (!this.#snapshotting) return
    this.#receive()
    this.#snapshotting = false
  }

  /**
   * A file of the root that process `pid` lives in: `undefined` when there is none, or reading it
   * took longer than a second.
   */
  readRootFile(pid: number, file: 'passwd' | 'group'): Uint8Array | undefined {
    if (this.#snapshotting) return undefined
    this.#send(RequestKind[file], pid)
    const { status, data } = this.#receive()
    return status < 0 ? undefined : data
  }

  /** Host devices (disks, memory, kernel log) in the root of `pid`; `undefined` when unreadable. */
  countDevices(pid: number): number | undefined {
    if (this.#snapshotting) return undefined
    this.#send(RequestKind.devices, pid)
    const { status, size } = this.#receive()
    return status < 0 ? undefined : size
  }

  #send(kind: number, pid: number): void {
    writeSync(Fd.requests, new Uint8Array(Uint32Array.of(kind, pid).buffer))
  }

  #receive(): { status: number; size: number; data: Uint8Array } {
    const buffer = this.#reply
    const length = readSync(Fd.requests, buffer)
    if (length < REPLY_HEAD_BYTES) throw new Error('the sensor closed the request channel')
    const head = new DataView(buffer.buffer)
    return {
      status: head.getInt32(0, true),
      size: head.getUint32(4, true),
      data: buffer.slice(REPLY_HEAD_BYTES, length),
    }
  }
}
