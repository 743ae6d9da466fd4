import type { Process, SyscallEvent } from '../event.ts'
import { eventTypes } from '../event-types.ts'
import { type ArgumentTable, readArguments, writeArguments } from './arguments.ts'
import { DecodedEvent } from './decoded-event.ts'
import { readDescriptors, writeDescriptors } from './descriptors.ts'
import type { People } from './people.ts'
import type { ProcessWriter } from './processes.ts'
import type { ByteReader } from './reader.ts'
import type { TextReader, TextWriter } from './texts.ts'
import type { ByteWriter } from './writer.ts'

/** Events of each type that occurs, by type, in the order of the batch. */
function byType<T>(types: readonly number[], items: readonly T[]): [number, T[]][] {
  const groups = new Map<number, T[]>()
  for (const [row, type] of types.entries()) {
    const group = groups.get(type)
    if (group === undefined) groups.set(type, [items[row]!])
    else group.push(items[row]!)
  }
  return [...groups].sort(([a], [b]) => a - b)
}

/** Writes the events, a column for each of their facts, then the arguments type by type. */
export function writeEvents(
  out: ByteWriter,
  texts: TextWriter,
  processes: ProcessWriter,
  events: readonly SyscallEvent[],
): void {
  out.bigints(
    events.map(({ time }) => time),
    true,
  )
  out.numbers(events.map(({ type }) => type))
  out.numbers(events.map(({ process }) => processes.add(process)))
  out.numbers(events.map(({ seq }) => seq))
  out.numbers(events.map(({ cpu }) => cpu))
  out.numbers(events.map(({ tid, process }) => tid - process.pid))
  out.numbers(events.map(({ count }) => count))
  out.numbers(events.map(({ flags }) => flags))
  out.numbers(events.map(({ euid }) => euid))
  out.numbers(events.map(({ egid }) => egid))
  out.bigintSet(events.map(({ capEffective }) => capEffective))
  out.bigintSet(events.map(({ capPermitted }) => capPermitted))
  out.numbers(events.map(({ result }) => (result === undefined ? 0 : 1)))
  out.numbers(events.flatMap(({ result }) => (result === undefined ? [] : [result])))
  out.numbers(events.map(({ fd }) => (fd === undefined ? 0 : 1)))
  writeDescriptors(
    out,
    texts,
    events.flatMap(({ fd }) => (fd === undefined ? [] : [fd])),
  )
  const types = events.map(({ type }) => type)
  for (const [type, members] of byType(types, events)) writeArguments(out, texts, type, members)
}

/** Reads `count` events. A row costs at least the byte of its time. */
export function readEvents(
  reader: ByteReader,
  texts: TextReader,
  count: number,
  processes: readonly Process[],
  containerOf: ReadonlyMap<Process, number>,
  people: People,
): SyscallEvent[] {
  if (count > reader.left) reader.fail('count', `${count} events do not fit into what is left`)
  const times = reader.bigints(count)
  for (const time of times) if (time >> 63n !== 0n) reader.fail('number', 'a time is out of range')
  const types = reader.indexes(count, eventTypes.length, 'type')
  const indexes = reader.indexes(count, processes.length)
  const seqs = reader.numbers(count)
  const cpus = reader.numbers(count)
  const threads = reader.numbers(count)
  const counts = reader.numbers(count)
  const flags = reader.numbers(count)
  const euids = reader.numbers(count)
  const egids = reader.numbers(count)
  const effective = reader.bigintSet(count)
  const permitted = reader.bigintSet(count)
  const hasResult = reader.indexes(count, 2)
  const results = reader.numbers(sum(hasResult))
  const hasFd = reader.indexes(count, 2)
  const descriptors = readDescriptors(reader, texts, sum(hasFd))
  let nextResult = 0
  let nextFd = 0
  const fds = hasFd.map((has) => (has === 1 ? descriptors[nextFd++] : undefined))
  const tables = new Map<number, { table: ArgumentTable; next: number }>()
  const names = fds.map((fd) => fd?.name)
  for (const [type, fdNames] of byType(types, names)) {
    tables.set(type, { table: readArguments(reader, texts, type, fdNames), next: 0 })
  }
  const events: SyscallEvent[] = []
  for (let row = 0; row < count; row++) {
    const process = processes[indexes[row]!]!
    const type = types[row]!
    const own = tables.get(type)!
    const facts = {
      type,
      seq: seqs[row]!,
      time: times[row]!,
      cpu: cpus[row]!,
      tid: threads[row]! + process.pid,
      count: counts[row]!,
      flags: flags[row]!,
      process,
      euid: euids[row]!,
      egid: egids[row]!,
      capEffective: effective[row]!,
      capPermitted: permitted[row]!,
      result: hasResult[row] === 1 ? results[nextResult++] : undefined,
      fd: fds[row],
    }
    events.push(new DecodedEvent(facts, own.table, own.next++, people, containerOf.get(process)!))
  }
  return events
}

function sum(bits: readonly number[]): number {
  return bits.reduce((total, bit) => total + bit, 0)
}
