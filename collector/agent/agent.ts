import type { Program, Rule } from '#engine'
import type { Process, SyscallEvent } from '#events'
import { EVENT, Item, Shape } from './layout.ts'
import { type EnvironmentFilter, readExec, readExit, readFork } from './process-records.ts'
import type { ProcessTable } from './process-table.ts'
import { RecordReader } from './record-reader.ts'
import { epochOf, type Ring } from './ring.ts'
import { type EventContext, RingEvent } from './ring-event.ts'
import { syscallNumber } from './syscalls-x64.ts'

/** Records between looks at the clock. */
const SLICE = 64
/** Milliseconds after which other work (signals, timers, output) gets its turn. */
const TURN_MS = 10
/** Milliseconds that the end may take. */
const FINISH_MS = 5000
const RECENT = 1024

export interface AgentOptions {
  readonly ring: Ring
  readonly control: ArrayBuffer
  readonly table: ProcessTable
  readonly context: EventContext
  /** What events are shown to, until {@link Agent.use}. */
  readonly program: Program<SyscallEvent>
  readonly environment: EnvironmentFilter
  /** Called for each event that matches; the event is valid during the call only. */
  readonly onMatch: (event: SyscallEvent, rules: readonly Rule[]) => void
  /** Called for every event, matching or not; the event is valid during the call only. */
  readonly onEvent?: (event: SyscallEvent) => void
  /** Called after each slice of the ring. */
  readonly onDrained?: () => void
  /** The processes that ran before are known, and system calls are reported from now on. */
  readonly onReady?: () => void
}

export interface AgentFigures {
  /** Records read from the ring. */
  readonly records: number
  /** Events that at least one rule matched. */
  readonly matched: number
}

const CHDIR = syscallNumber('chdir')!
const FCHDIR = syscallNumber('fchdir')!

/** Drains the ring: keeps the process table true and shows every event to the rules. */
export class Agent {
  readonly #options: AgentOptions
  #program: Program<SyscallEvent>
  #environment: EnvironmentFilter
  readonly #record: RecordReader
  readonly #event: RingEvent
  /** Processes of the last events by pid: most events come from few processes. */
  readonly #recent: (Process | undefined)[] = new Array(RECENT).fill(undefined)
  readonly #recentKeys = new Int32Array(RECENT * 3)
  #epoch = 0n
  #records = 0
  #matched = 0
  #scheduled = false

  constructor(options: AgentOptions) {
    this.#options = options
    this.#program = options.program
    this.#environment = options.environment
    this.#record = new RecordReader(options.ring.words)
    this.#event = new RingEvent(this.#record, options.context)
    this.#setEpoch()
  }

  get figures(): AgentFigures {
    return { records: this.#records, matched: this.#matched }
  }

  /** Shows events to other rules from the next one on. */
  use(program: Program<SyscallEvent>, environment: EnvironmentFilter): void {
    this.#program = program
    this.#environment = environment
  }

  /**
   * After a restart: takes the processes from the snapshot that lies behind the backlog, so that the
   * events before it find theirs. What the records say in order comes again with {@link drain}.
   */
  prime(): void {
    this.#options.ring.peek((at) => {
      this.#record.point(at)
      if (this.#record.shape === Shape.snapshot) {
        this.#options.table.snapshot(readExec(this.#record, this.#environment))
      }
    })
  }

  /** Reads what the ring holds; goes on by itself, in slices, while there is more. */
  drain = (): void => {
    this.#setEpoch()
    const end = performance.now() + TURN_MS
    let count: number
    do count = this.#options.ring.drain(this.#onRecord, SLICE)
    while (count >= SLICE && performance.now() < end)
    this.#options.onDrained?.()
    if (count < SLICE || this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.drain()
    })
  }

  /** Reads all that the ring holds now, without giving way to anything, as the last thing it does. */
  finish(): void {
    this.#setEpoch()
    const end = performance.now() + FINISH_MS
    while (this.#options.ring.drain(this.#onRecord, SLICE) > 0 && performance.now() < end);
    this.#options.onDrained?.()
  }

  #setEpoch(): void {
    this.#epoch = epochOf(this.#options.control)
    this.#options.table.epoch = this.#epoch
  }

  readonly #onRecord = (at: number): void => {
    const record = this.#record
    record.point(at)
    this.#records += 1
    switch (record.shape) {
      case Shape.call:
        this.#onCall()
        return
      case Shape.exec:
        this.#show(this.#options.table.exec(readExec(record, this.#environment)))
        this.#forget()
        return
      case Shape.snapshot:
        this.#options.table.snapshot(readExec(record, this.#environment))
        this.#forget()
        return
      case Shape.fork:
        this.#options.table.fork(readFork(record))
        this.#forget()
        return
      case Shape.exit:
        this.#show(this.#process())
        this.#options.table.exit(readExit(record), record.big(EVENT.time))
        return
      case Shape.ready:
        this.#options.table.snapshotComplete()
        this.#options.onReady?.()
    }
  }

  #onCall(): void {
    const record = this.#record
    const process = this.#process()
    const number = record.u16(EVENT.syscall)
    if ((number === CHDIR || number === FCHDIR) && record.i64(EVENT.result) === 0) {
      const cwd = record.path(Item.path)
      if (cwd !== undefined) {
        this.#options.table.change(record.u32(EVENT.pid), record.big(EVENT.start), { cwd })
      }
    }
    this.#show(process)
  }

  #show(process: Process): void {
    const event = this.#event
    event.point(process, this.#epoch)
    this.#options.onEvent?.(event)
    const rules = this.#program.evaluate(event)
    if (rules.length === 0) return
    this.#matched += 1
    this.#options.onMatch(event, rules)
  }

  /** The calling process, without making a 64-bit integer of its start for every event. */
  #process(): Process {
    const { words, at } = this.#record
    const word = at >>> 2
    const pid = words[word + EVENT.pid / 4]!
    const low = words[word + EVENT.start / 4]!
    const high = words[word + EVENT.start / 4 + 1]!
    const slot = pid & (RECENT - 1)
    const keys = this.#recentKeys
    const recent = this.#recent[slot]
    if (
      recent !== undefined &&
      keys[slot * 3] === pid &&
      keys[slot * 3 + 1] === low &&
      keys[slot * 3 + 2] === high
    ) {
      return recent
    }
    const process = this.#options.table.findOrAdd(pid, this.#record.big(EVENT.start))
    this.#recent[slot] = process
    keys[slot * 3] = pid
    keys[slot * 3 + 1] = low
    keys[slot * 3 + 2] = high
    return process
  }

  /** The record's process is another one from now on, or has a new image. */
  #forget(): void {
    this.#recent[this.#record.u32(EVENT.pid) & (RECENT - 1)] = undefined
  }
}
