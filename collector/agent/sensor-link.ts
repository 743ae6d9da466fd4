import { readSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
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

/** Descriptors the sensor hands over; the same numbers as in `collector/sensor/sensor.h`. */
const Fd = { ring: 10, control: 11, progress: 12, counters: 13, requests: 14 } as const
const RequestKind = { snapshot: 1, passwd: 2, group: 3, devices: 4 } as const
const REPLY_HEAD_BYTES = 8
const MAX_REPLY_BYTES = 128 << 10
const PAGE = 4096

/** The native addon, see `collector/sensor/ring-addon.c`. */
interface RingAddon {
  mapRing(fd: number, bytes: number): [consumer: ArrayBuffer, producerAndData: ArrayBuffer]
  mapPage(fd: number, bytes: number, writable: 0 | 1): ArrayBuffer
  start(callback: () => void): void
  stop(): void
}

export interface KernelCounters {
  /** Wanted system calls that ended. */
  readonly seen: number
  /** Of these, dropped by the kernel's own filters. */
  readonly rejected: number
  /** Records that found no room, by class. */
  readonly lost: Readonly<Record<(typeof lossClasses)[number], number>>
  /** 32-bit calls that have no native counterpart. */
  readonly compatUnmapped: number
}

/** What the rules want from the kernel. */
export interface KernelFilter {
  /** Native system call numbers. */
  readonly syscalls: Iterable<number>
  /** Bit `failed * 4 + access mode` for each class of open that a rule can match. */
  readonly openClasses: number
  /** Whether an exec brings its environment. */
  readonly environment: boolean
}

/** The agent's end of everything it shares with the sensor and the kernel. */
export class SensorLink {
  readonly ring: Ring
  readonly control: ArrayBuffer
  readonly #addon: RingAddon
  readonly #progress: ArrayBuffer
  readonly #counters: BigUint64Array
  #snapshotting = false

  /** @param addonPath of the built `ring.node` */
  constructor(addonPath: string) {
    this.#addon = createRequire(import.meta.url)(addonPath) as RingAddon
    const [consumer, data] = this.#addon.mapRing(Fd.ring, RING_BYTES)
    this.ring = new Ring(consumer, data)
    this.control = this.#addon.mapPage(Fd.control, PAGE, 1)
    this.#progress = this.#addon.mapPage(Fd.progress, PAGE, 0)
    this.#counters = new BigUint64Array(
      this.#addon.mapPage(Fd.counters, MAX_CPUS * CPU_COUNTERS_BYTES, 0),
    )
  }

  /** Calls back on the main thread whenever the ring may hold records. */
  onEvents(callback: () => void): void {
    this.#addon.start(callback)
  }

  stop(): void {
    this.#addon.stop()
  }

  /** Takes effect with the next system call. */
  setFilter({ syscalls, openClasses, environment }: KernelFilter): void {
    const wanted = new BigUint64Array(8)
    for (const number of syscalls) wanted[number >> 6]! |= 1n << BigInt(number & 63)
    new BigUint64Array(this.control, CONTROL.wanted, 8).set(wanted)
    new Uint32Array(this.control, CONTROL.open_classes, 2).set([openClasses, environment ? 1 : 0])
  }

  counters(): KernelCounters {
    let seen = 0
    let rejected = 0
    const words = CPU_COUNTERS_BYTES / 8
    for (let cpu = 0; cpu < MAX_CPUS; cpu++) {
      seen += Number(this.#counters[cpu * words + CPU_COUNTERS.seen / 8]!)
      rejected += Number(this.#counters[cpu * words + CPU_COUNTERS.rejected / 8]!)
    }
    const lost = new BigUint64Array(this.#progress, PROGRESS.lost, lossClasses.length)
    return {
      seen,
      rejected,
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
    const buffer = new Uint8Array(REPLY_HEAD_BYTES + MAX_REPLY_BYTES)
    const length = readSync(Fd.requests, buffer)
    if (length < REPLY_HEAD_BYTES) throw new Error('the sensor closed the request channel')
    const head = new DataView(buffer.buffer)
    return {
      status: head.getInt32(0, true),
      size: head.getUint32(4, true),
      data: buffer.subarray(REPLY_HEAD_BYTES, length),
    }
  }
}
