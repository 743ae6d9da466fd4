import type { Container, Process, Stream } from '../event.ts'
import type { ContainerWriter } from './containers.ts'
import { fdKinds } from './descriptors.ts'
import type { ByteReader } from './reader.ts'
import { type TextReader, type TextWriter, writeLists } from './texts.ts'
import type { ByteWriter } from './writer.ts'

const numbers = [
  'ppid',
  'vpid',
  'sid',
  'pgid',
  'vpgid',
  'tty',
  'uid',
  'gid',
  'loginUid',
  'exeInode',
  'exeFlags',
] as const
const texts = ['comm', 'exe', 'exePath', 'cwd', 'script'] as const
const lists = ['args', 'env', 'cgroups'] as const
const sets = [
  'capInheritable',
  'capEffective',
  'capPermitted',
  'exeCtime',
  'exeMtime',
  'pidNamespaceStart',
] as const
const namespaces = ['mnt', 'pid', 'net', 'user'] as const

/** No line is longer; a chain of parents that closes is cut here. */
const deepest = 256

/** Numbers the processes of a batch, each after its parent. */
export class ProcessWriter {
  readonly #indexes = new Map<Process, number>()
  readonly #containers: ContainerWriter

  constructor(containers: ContainerWriter) {
    this.#containers = containers
  }

  /** The process's number; it and all its ancestors go into the batch. */
  add(process: Process): number {
    const known = this.#indexes.get(process)
    if (known !== undefined) return known
    const line: Process[] = []
    let member: Process | undefined = process
    while (member !== undefined && !this.#indexes.has(member) && line.length < deepest) {
      line.push(member)
      member = member.parent
    }
    for (const each of line.reverse()) {
      if (!this.#indexes.has(each)) this.#indexes.set(each, this.#indexes.size)
      this.#containers.reference(each.container)
    }
    return this.#indexes.get(process)!
  }

  get count(): number {
    return this.#indexes.size
  }

  write(out: ByteWriter, table: TextWriter): void {
    const all = [...this.#indexes.keys()]
    out.unsigned(all.length)
    out.numbers(
      all.map(({ pid }) => pid),
      true,
    )
    out.numbers(all.map((process, index) => this.#parentDistance(process, index)))
    out.bigints(all.map(({ start }) => start))
    for (const key of numbers) out.numbers(all.map((process) => process[key]))
    for (const key of texts) out.numbers(all.map((process) => table.index(process[key])))
    for (const key of lists) {
      writeLists(
        out,
        table,
        all.map((process) => process[key]),
      )
    }
    for (const key of sets) out.bigintSet(all.map((process) => process[key]))
    for (const key of namespaces) out.numbers(all.map((process) => process.namespaces[key]))
    out.numbers(all.map(({ container }) => this.#containers.reference(container)))
  }

  /** Standard streams, each different one once: most processes have those of their parents. */
  writeStreams(out: ByteWriter, table: TextWriter): void {
    const all = [...this.#indexes.keys()]
    const distinct = new Map<string, { stream: Stream; reference: number }>()
    const reference = (stream: Stream | undefined) => {
      if (stream === undefined) return 0
      const key = `${stream.kind} ${stream.name}`
      const known = distinct.get(key) ?? { stream, reference: distinct.size + 1 }
      distinct.set(key, known)
      return known.reference
    }
    const columns = streamPlaces.map((place) => all.map(({ streams }) => reference(streams[place])))
    if (distinct.size === 0) return
    const rows = [...distinct.values()].map(({ stream }) => stream)
    out.unsigned(rows.length)
    out.numbers(
      rows.map(({ kind }) => fdKinds.indexOf(kind)),
      true,
    )
    out.numbers(rows.map(({ name }) => table.index(name)))
    for (const column of columns) out.numbers(column)
  }

  /** How many rows above the parent stands, 0 when there is none. */
  #parentDistance({ parent }: Process, index: number): number {
    const at = parent === undefined ? undefined : this.#indexes.get(parent)
    return at === undefined || at >= index ? 0 : index - at
  }
}

/** The processes of a batch, and the container reference of each. */
export function readProcesses(
  reader: ByteReader,
  table: TextReader,
  containers: readonly Container[],
): { processes: Process[]; containerOf: Map<Process, number> } {
  const count = reader.count()
  const pids = reader.numbers(count)
  const distances = reader.numbers(count)
  const starts = reader.bigints(count)
  const numberColumns = numbers.map(() => reader.numbers(count))
  const textColumns = texts.map(() => table.column(count))
  const listColumns = lists.map(() => table.lists(count))
  const setColumns = sets.map(() => reader.bigintSet(count))
  const namespaceColumns = namespaces.map(() => reader.numbers(count))
  const references = reader.indexes(count, containers.length + 1)
  const processes: Process[] = []
  const containerOf = new Map<Process, number>()
  for (let row = 0; row < count; row++) {
    const distance = distances[row]!
    if (distance < 0 || distance > row) reader.fail('index', 'a parent stands outside the table')
    const reference = references[row]!
    const [ppid, vpid, sid, pgid, vpgid, tty, uid, gid, loginUid, exeInode, exeFlags] =
      numberColumns.map((column) => column[row]!) as elevenNumbers
    const [comm, exe, exePath, cwd, script] = textColumns.map((column) => column[row]!) as fiveTexts
    const [args, env, cgroups] = listColumns.map((column) => column[row]!) as threeLists
    const [capInheritable, capEffective, capPermitted, exeCtime, exeMtime, pidNamespaceStart] =
      setColumns.map((column) => column[row]!) as sixSets
    const [mnt, pid, net, user] = namespaceColumns.map((column) => column[row]!) as fourNumbers
    const process: Process = {
      pid: pids[row]!,
      ppid,
      parent: distance === 0 ? undefined : processes[row - distance],
      start: starts[row]!,
      comm,
      exe,
      exePath,
      args,
      env,
      cwd,
      vpid,
      sid,
      pgid,
      vpgid,
      tty,
      uid,
      gid,
      loginUid,
      capInheritable,
      capEffective,
      capPermitted,
      exeInode,
      exeCtime,
      exeMtime,
      exeFlags,
      script,
      cgroups,
      pidNamespaceStart,
      namespaces: { mnt, pid, net, user },
      container: reference === 0 ? undefined : containers[reference - 1],
      streams: noStreams,
    }
    processes.push(process)
    containerOf.set(process, reference)
  }
  return { processes, containerOf }
}

const streamPlaces = [0, 1, 2] as const
const noStreams: Process['streams'] = []

/** Gives the processes that were just read their standard streams. */
export function readStreams(
  reader: ByteReader,
  table: TextReader,
  processes: readonly { -readonly [Key in keyof Process]: Process[Key] }[],
): void {
  const count = reader.count()
  const kinds = reader.indexes(count, fdKinds.length, 'type')
  const names = table.columnOf(reader, count)
  const rows: (Stream | undefined)[] = [undefined]
  for (const [row, name] of names.entries()) rows.push({ kind: fdKinds[kinds[row]!]!, name })
  const columns = streamPlaces.map(() => reader.indexes(processes.length, rows.length))
  for (const [row, process] of processes.entries()) {
    const streams = columns.map((column) => rows[column[row]!])
    if (streams.some((stream) => stream !== undefined)) process.streams = streams
  }
}

type fourNumbers = [number, number, number, number]
type elevenNumbers = [...fourNumbers, ...fourNumbers, number, number, number]
type fiveTexts = [string, string, string, string, string]
type threeLists = [readonly string[], readonly string[], readonly string[]]
type sixSets = [bigint, bigint, bigint, bigint, bigint, bigint]
