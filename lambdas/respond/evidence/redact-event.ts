import { type ArgValue, eventTypes, factsOf, type Process, type SyscallEvent } from '#events'
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
    return redactedEvent(event, this.#process(event.process))
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

function redactedEvent(event: SyscallEvent, process: Process): SyscallEvent {
  const { fd } = event
  return {
    ...factsOf(event),
    process,
    fd: fd && {
      ...{ ...fd, name: textOf(fd.name) },
      rawName: fd.rawName === undefined ? undefined : textOf(fd.rawName),
    },
    arg: (index) => redactedArgument(event, index, process),
    absolutePath(index) {
      const path = event.absolutePath(index)
      return path === undefined ? undefined : textOf(path)
    },
    user: (uid) => event.user(uid),
    group: (gid) => event.group(gid),
    namesOf: (ip) => event.namesOf(ip),
  }
}

function redactedArgument(event: SyscallEvent, index: number, process: Process): ArgValue {
  const value = event.arg(index)
  const name = eventTypes[event.type]?.params[index]?.name
  if (name === 'env') return value === undefined ? undefined : redacted
  const clean = name === 'args' ? (text: string) => argumentsOf(process, text) : textOf
  if (typeof value === 'string') return clean(value)
  return value instanceof Uint8Array ? bytesOf(value, clean) : value
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
