import type { Group, SyscallEvent, User } from '../event.ts'
import { eventTypes } from '../event-types.ts'
import { nativeArgument } from '../fields/native-argument.ts'
import type { ContainerWriter } from './containers.ts'
import type { ByteReader } from './reader.ts'
import { type TextReader, type TextWriter, writeLists } from './texts.ts'
import type { ByteWriter } from './writer.ts'

/** Users and groups by the container they are of: a uid means little without. */
export type PersonKey = string

export function personKey(containerReference: number, id: number): PersonKey {
  return `${containerReference}:${id}`
}

interface Entry<T> {
  readonly container: number
  readonly id: number
  readonly value: T
}

/** Collects the users, groups and host names that the events of a batch could be asked for. */
export class PeopleWriter {
  readonly #users = new Map<PersonKey, Entry<User> | undefined>()
  readonly #groups = new Map<PersonKey, Entry<Group> | undefined>()
  readonly #names = new Map<string, readonly string[]>()
  readonly #containers: ContainerWriter

  constructor(containers: ContainerWriter) {
    this.#containers = containers
  }

  add(event: SyscallEvent): void {
    const { process, fd } = event
    const container = this.#containers.reference(process.container)
    for (const uid of [event.euid, process.uid, process.loginUid]) {
      this.#addUser(event, container, uid)
    }
    for (const gid of [event.egid, process.gid]) this.#addGroup(event, container, gid)
    for (const [index, kind] of idArguments[event.type] ?? []) {
      const id = nativeArgument(event, index)
      if (typeof id !== 'number') continue
      if (kind === 'UID') this.#addUser(event, container, id)
      else this.#addGroup(event, container, id)
    }
    if (fd?.socket === undefined) return
    for (const ip of [fd.socket.localIp, fd.socket.remoteIp]) {
      if (ip !== '' && !this.#names.has(ip)) this.#names.set(ip, event.namesOf(ip))
    }
  }

  #addUser(event: SyscallEvent, container: number, id: number): void {
    const key = personKey(container, id)
    if (this.#users.has(key)) return
    const value = event.user(id)
    this.#users.set(key, value === undefined ? undefined : { container, id, value })
  }

  #addGroup(event: SyscallEvent, container: number, id: number): void {
    const key = personKey(container, id)
    if (this.#groups.has(key)) return
    const value = event.group(id)
    this.#groups.set(key, value === undefined ? undefined : { container, id, value })
  }

  write(out: ByteWriter, texts: TextWriter): void {
    const users = [...this.#users.values()].filter((user) => user !== undefined)
    writeKeys(out, users)
    out.numbers(users.map(({ value }) => value.gid))
    for (const key of ['name', 'home', 'shell'] as const) {
      out.numbers(users.map(({ value }) => texts.index(value[key])))
    }
    const groups = [...this.#groups.values()].filter((group) => group !== undefined)
    writeKeys(out, groups)
    out.numbers(groups.map(({ value }) => texts.index(value.name)))
    const names = [...this.#names].filter(([, known]) => known.length > 0)
    out.unsigned(names.length)
    out.numbers(
      names.map(([ip]) => texts.index(ip)),
      true,
    )
    writeLists(
      out,
      texts,
      names.map(([, known]) => known),
    )
  }
}

/** Arguments of each event type that are a user or a group. */
const idArguments = eventTypes.map(({ params }) =>
  params.flatMap(({ type }, index) =>
    type === 'UID' || type === 'GID' ? [[index, type] as const] : [],
  ),
)

function writeKeys(out: ByteWriter, entries: readonly Entry<unknown>[]): void {
  out.unsigned(entries.length)
  out.numbers(entries.map(({ container }) => container))
  out.numbers(
    entries.map(({ id }) => id),
    true,
  )
}

export interface People {
  readonly users: ReadonlyMap<PersonKey, User>
  readonly groups: ReadonlyMap<PersonKey, Group>
  readonly names: ReadonlyMap<string, readonly string[]>
}

export function readPeople(reader: ByteReader, texts: TextReader): People {
  const users = new Map<PersonKey, User>()
  const userIds = readKeys(reader)
  const gids = reader.numbers(userIds.length)
  const [names, homes, shells] = [0, 0, 0].map(() => texts.column(userIds.length))
  for (const [row, [key, uid]] of userIds.entries()) {
    users.set(key, {
      uid,
      gid: gids[row]!,
      name: names![row]!,
      home: homes![row]!,
      shell: shells![row]!,
    })
  }
  const groups = new Map<PersonKey, Group>()
  const groupIds = readKeys(reader)
  const groupNames = texts.column(groupIds.length)
  for (const [row, [key, gid]] of groupIds.entries()) {
    groups.set(key, { gid, name: groupNames[row]! })
  }
  const addresses = texts.column(reader.count())
  const lists = texts.lists(addresses.length)
  return { users, groups, names: new Map(addresses.map((ip, row) => [ip, lists[row]!])) }
}

function readKeys(reader: ByteReader): (readonly [PersonKey, number])[] {
  const count = reader.count()
  const containers = reader.numbers(count)
  return reader.numbers(count).map((id, row) => [personKey(containers[row]!, id), id])
}
