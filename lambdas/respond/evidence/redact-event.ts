import {
  type ArgValue,
  eventTypes,
  type FileDescriptor,
  type Group,
  type Process,
  type SyscallEvent,
  type User,
} from '#events'
import { createTextRedactor, redactArguments } from '#redact'
import { redacted, redactText } from './redact.ts'

const known = createTextRedactor([])

/**
 * Takes what looks like a secret out of events, and all values of variables; ids, times, numbers, addresses
 * and the shape of what happened stay. The same process stays one process.
 */
export class EventRedactor {
  readonly #processes = new Map<Process, Process>()

  redact(event: SyscallEvent): SyscallEvent {
    return new RedactedEvent(event, this.#process(event.process))
  }

  #process(process: Process): Process {
    const line: Process[] = []
    let at: Process | undefined = process
    // a chain that closes is cut where it is written, too
    while (at !== undefined && !this.#processes.has(at) && line.length < 256) {
      line.push(at)
      at = at.parent
    }
    for (const each of line.toReversed()) {
      const parent = each.parent && this.#processes.get(each.parent)
      this.#processes.set(each, {
        ...{ ...each, parent },
        ...{ exe: textOf(each.exe), cwd: textOf(each.cwd), exePath: textOf(each.exePath) },
        args: redactArguments(each.comm, each.args, known).map(textOf),
        env: each.env.map((variable) => `${variable.split('=', 1)[0]}=${redacted}`),
        script: textOf(each.script),
        streams: each.streams.map((one) => one && { ...one, name: textOf(one.name) }),
      })
    }
    return this.#processes.get(process)!
  }
}

class RedactedEvent implements SyscallEvent {
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
  readonly #event: SyscallEvent

  constructor(event: SyscallEvent, process: Process) {
    this.type = event.type
    this.seq = event.seq
    this.time = event.time
    this.cpu = event.cpu
    this.tid = event.tid
    this.count = event.count
    this.flags = event.flags
    this.process = process
    this.euid = event.euid
    this.egid = event.egid
    this.capEffective = event.capEffective
    this.capPermitted = event.capPermitted
    this.result = event.result
    const { fd } = event
    this.fd = fd && {
      ...{ ...fd, name: textOf(fd.name) },
      rawName: fd.rawName === undefined ? undefined : textOf(fd.rawName),
    }
    this.#event = event
  }

  arg(index: number): ArgValue {
    const value = this.#event.arg(index)
    const name = eventTypes[this.type]?.params[index]?.name
    if (name === 'env') return value === undefined ? undefined : redacted
    const clean = name === 'args' ? (text: string) => argumentsOf(this.process, text) : textOf
    if (typeof value === 'string') return clean(value)
    return value instanceof Uint8Array ? bytesOf(value, clean) : value
  }

  absolutePath(index: number): string | undefined {
    const path = this.#event.absolutePath(index)
    return path === undefined ? undefined : textOf(path)
  }

  user(uid: number): User | undefined {
    return this.#event.user(uid)
  }

  group(gid: number): Group | undefined {
    return this.#event.group(gid)
  }

  namesOf(ip: string): readonly string[] {
    return this.#event.namesOf(ip)
  }
}

function textOf(text: string): string {
  return text === '' ? text : redactText(known.text(text))
}

/** What was written and read, as far as it is text; bytes stay what they are when nothing is secret in them. */
function bytesOf(bytes: Uint8Array, clean: (text: string) => string): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1')
  const after = clean(text)
  return after === text ? bytes : Uint8Array.from(Buffer.from(after, 'latin1'))
}

/** Arguments as the kernel has them, each ended by a zero, or as Falco shows them. */
function argumentsOf({ comm }: Process, text: string): string {
  const sign = text.includes('\0') ? '\0' : ' '
  return textOf(redactArguments(comm, text.split(sign), known).join(sign))
}
