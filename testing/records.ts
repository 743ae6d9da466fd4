import {
  CALL,
  CALL_BYTES,
  EVENT,
  EVENT_BYTES,
  EXIT_BYTES,
  FORK_BYTES,
  PROCESS_BYTES,
  Shape,
} from '../collector/agent/layout.ts'

const fixed: Readonly<Record<keyof typeof Shape, number>> = {
  call: CALL_BYTES,
  exec: PROCESS_BYTES,
  snapshot: PROCESS_BYTES,
  fork: FORK_BYTES,
  exit: EXIT_BYTES,
  ready: EVENT_BYTES,
}

export interface RecordParts {
  readonly shape: keyof typeof Shape
  readonly syscall?: number
  readonly flags?: number
  readonly seq?: number
  readonly pid?: number
  readonly result?: number
  readonly args?: readonly (number | bigint)[]
  /** 32-bit fields by offset. */
  readonly words?: Readonly<Record<number, number>>
  readonly items?: readonly (readonly [kind: number, bytes: Uint8Array | string])[]
}

/** Bytes of a record as the kernel side writes them. */
export function makeRecord(parts: RecordParts): Uint8Array {
  const items = (parts.items ?? []).map(([kind, value]) => {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value
    const item = new Uint8Array(4 + ((bytes.length + 3) & ~3))
    new DataView(item.buffer).setUint16(0, kind, true)
    new DataView(item.buffer).setUint16(2, bytes.length, true)
    item.set(bytes, 4)
    return item
  })
  const start = fixed[parts.shape]
  const length = items.reduce((sum, item) => sum + item.length, start)
  const record = new Uint8Array((length + 7) & ~7)
  const view = new DataView(record.buffer)
  view.setUint16(EVENT.size, record.length, true)
  record[EVENT.shape] = Shape[parts.shape]
  record[EVENT.flags] = parts.flags ?? 0
  view.setUint16(EVENT.syscall, parts.syscall ?? 0, true)
  view.setBigUint64(EVENT.seq, BigInt(parts.seq ?? 1), true)
  view.setUint32(EVENT.pid, parts.pid ?? 1000, true)
  view.setUint32(EVENT.tid, parts.pid ?? 1000, true)
  view.setBigInt64(EVENT.result, BigInt(parts.result ?? 0), true)
  for (const [i, value] of (parts.args ?? []).entries()) {
    view.setBigUint64(CALL.args + i * 8, BigInt.asUintN(64, BigInt(value)), true)
  }
  for (const [offset, value] of Object.entries(parts.words ?? {})) {
    view.setUint32(Number(offset), value, true)
  }
  let at = start
  for (const item of items) {
    record.set(item, at)
    at += item.length
  }
  return record
}

const HEADER_BYTES = 8

/** A ring buffer in ordinary memory, with both mappings of its data, for a reader to drain. */
export class FakeRing {
  readonly consumerPage = new ArrayBuffer(4096)
  readonly producerAndData: ArrayBuffer
  readonly #bytes: number
  #produced = 0

  constructor(bytes: number, startAt = 0) {
    this.#bytes = bytes
    this.producerAndData = new ArrayBuffer(4096 + 2 * bytes)
    this.#produced = startAt
    new BigUint64Array(this.consumerPage)[0] = BigInt(startAt)
    this.#publish()
  }

  get consumed(): number {
    return Number(new BigUint64Array(this.consumerPage)[0])
  }

  /** Appends a record; `busy` leaves it reserved but not submitted, `discarded` marks it so. */
  push(record: Uint8Array, mark?: 'busy' | 'discarded'): void {
    const at = this.#produced % this.#bytes
    const bits = mark === 'busy' ? 0x80000000 : mark === 'discarded' ? 0x40000000 : 0
    const head = new Uint8Array(HEADER_BYTES)
    new DataView(head.buffer).setUint32(0, (record.length | bits) >>> 0, true)
    this.#write(at, head)
    this.#write(at + HEADER_BYTES, record)
    this.#produced += (HEADER_BYTES + record.length + 7) & ~7
    this.#publish()
  }

  /** Submits the first record pushed as busy at ring position `position`. */
  submit(position: number): void {
    const at = position % this.#bytes
    const view = new DataView(this.producerAndData, 4096)
    for (const copy of [at, at + this.#bytes]) {
      view.setUint32(copy, view.getUint32(copy, true) & 0x3fffffff, true)
    }
  }

  #publish(): void {
    new BigUint64Array(this.producerAndData, 0, 1)[0] = BigInt(this.#produced)
  }

  #write(at: number, bytes: Uint8Array): void {
    const data = new Uint8Array(this.producerAndData, 4096)
    for (const [i, byte] of bytes.entries()) {
      const place = (at + i) % this.#bytes
      data[place] = byte
      data[place + this.#bytes] = byte
    }
  }
}
