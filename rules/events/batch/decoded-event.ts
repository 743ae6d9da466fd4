import type { ArgValue, FileDescriptor, Group, Process, SyscallEvent, User } from '../event.ts'
import type { EventFacts } from '../event-facts.ts'
import type { ArgumentTable } from './arguments.ts'
import { type People, personKey } from './people.ts'

const noNames: readonly string[] = []

/** An event as a batch holds it. It keeps the tables of its batch alive. */
export class DecodedEvent implements SyscallEvent {
  readonly type: number
  readonly seq: number
  readonly time: bigint
  readonly cpu: number
  readonly tid: number
  readonly count: number
  readonly flags: number
  readonly process: Process
  readonly euid: number
  readonly egid: number
  readonly capEffective: bigint
  readonly capPermitted: bigint
  readonly result: number | undefined
  readonly fd: FileDescriptor | undefined
  readonly #arguments: ArgumentTable
  readonly #row: number
  readonly #people: People
  readonly #container: number

  /** `row` is the event's among those of its type, `container` the reference of its process. */
  constructor(
    facts: EventFacts,
    argumentTable: ArgumentTable,
    row: number,
    people: People,
    container: number,
  ) {
    this.type = facts.type
    this.seq = facts.seq
    this.time = facts.time
    this.cpu = facts.cpu
    this.tid = facts.tid
    this.count = facts.count
    this.flags = facts.flags
    this.process = facts.process
    this.euid = facts.euid
    this.egid = facts.egid
    this.capEffective = facts.capEffective
    this.capPermitted = facts.capPermitted
    this.result = facts.result
    this.fd = facts.fd
    this.#arguments = argumentTable
    this.#row = row
    this.#people = people
    this.#container = container
  }

  arg(index: number): ArgValue {
    return this.#arguments.values[index]?.[this.#row]
  }

  absolutePath(index: number): string | undefined {
    return this.#arguments.paths[index]?.[this.#row]
  }

  user(uid: number): User | undefined {
    return this.#people.users.get(personKey(this.#container, uid))
  }

  group(gid: number): Group | undefined {
    return this.#people.groups.get(personKey(this.#container, gid))
  }

  namesOf(ip: string): readonly string[] {
    return this.#people.names.get(ip) ?? noNames
  }
}
