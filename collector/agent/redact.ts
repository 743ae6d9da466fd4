import {
  type ArgValue,
  eventTypes,
  type FileDescriptor,
  factsOf,
  type Process,
  type Stream,
  type SyscallEvent,
} from '#events'
import { createTextRedactor, redactArguments, redactEnvironment } from '#redact'

export interface RedactorOptions {
  /** Further secrets as RE2: the first group, or the whole match, is replaced. */
  readonly patterns: readonly string[]
}

export interface RedactorFigures {
  /** Processes and events of which something was replaced. */
  readonly processes: number
  readonly events: number
}

/** Replaces secrets. What has none is given back as it is, and nothing is changed in place. */
export interface Redactor {
  /** The process and its ancestors. It must not change any more: see `keepProcess`. */
  process(process: Process): Process
  /** An event that lasts: see `keepEvent`. */
  event(event: SyscallEvent): SyscallEvent
  text(text: string): string
  readonly figures: RedactorFigures
}

/** How arguments and variables are told in one text: by Falco, and on the wire. */
const joins = [
  (texts: readonly string[]) => texts.join(' '),
  (texts: readonly string[]) => texts.map((text) => `${text}\0`).join(''),
]

/**
 * Puts `[redacted]` in place of passwords, tokens and keys: in arguments and variables that are named
 * like one, in URLs and headers, and wherever they are known by their form. Redacting twice changes
 * nothing more. Throws an `Error` that names a pattern which is not RE2.
 */
export function createRedactor({ patterns }: RedactorOptions): Redactor {
  const texts = createTextRedactor(patterns)
  const known = new WeakMap<Process, Process>()
  let processes = 0
  let events = 0

  function redactProcess(process: Process): Process {
    const before = known.get(process)
    if (before !== undefined) return before
    const after = redactedCopy(process)
    known.set(process, after)
    known.set(after, after)
    if (after !== process) processes += 1
    return after
  }

  function redactedCopy(process: Process): Process {
    const parent = process.parent === undefined ? undefined : redactProcess(process.parent)
    const args = redactArguments(process.comm, process.args, texts)
    const env = redactEnvironment(process.env, texts)
    const exe = texts.text(process.exe)
    const exePath = texts.path(process.exePath)
    const cwd = texts.path(process.cwd)
    const script = texts.path(process.script)
    const streams = process.streams.some((stream) => stream && redactNamed(stream) !== stream)
      ? process.streams.map((stream) => stream && redactNamed(stream))
      : process.streams
    const isSame =
      parent === process.parent &&
      args === process.args &&
      env === process.env &&
      exe === process.exe &&
      exePath === process.exePath &&
      cwd === process.cwd &&
      script === process.script &&
      streams === process.streams
    return isSame ? process : { ...process, parent, args, env, exe, exePath, cwd, script, streams }
  }

  function redactNamed<T extends Stream>(stream: T): T {
    const name = texts.path(stream.name)
    return name === stream.name ? stream : { ...stream, name }
  }

  function redactDescriptor(fd: FileDescriptor): FileDescriptor {
    const named = redactNamed(fd)
    const rawName = fd.rawName === undefined ? undefined : texts.path(fd.rawName)
    return rawName === fd.rawName ? named : { ...named, rawName }
  }

  /** A text that lists what the process has is redacted as that is. */
  function redactArgument(value: ArgValue, type: string, from: Process, to: Process): ArgValue {
    if (value instanceof Uint8Array) return redactBytes(value)
    if (typeof value !== 'string') return value
    if (/PATH$|^SOCK/.test(type)) return texts.path(value)
    for (const list of ['args', 'env'] as const) {
      if (from[list] === to[list]) continue
      for (const join of joins) if (value === join(from[list])) return join(to[list])
    }
    return texts.text(value)
  }

  function redactBytes(bytes: Uint8Array): Uint8Array {
    const text = Buffer.from(bytes).toString('latin1')
    const after = texts.text(text)
    return after === text ? bytes : Uint8Array.from(Buffer.from(after, 'latin1'))
  }

  function redactEvent(event: SyscallEvent): SyscallEvent {
    const process = redactProcess(event.process)
    const fd = event.fd && redactDescriptor(event.fd)
    let isSame = process === event.process && fd === event.fd
    const args: ArgValue[] = []
    const paths: (string | undefined)[] = []
    for (const [i, { type }] of (eventTypes[event.type]?.params ?? []).entries()) {
      const arg = event.arg(i)
      const path = event.absolutePath(i)
      args.push(redactArgument(arg, type, event.process, process))
      paths.push(path === undefined ? undefined : texts.path(path))
      isSame &&= args[i] === arg && paths[i] === path
    }
    if (isSame) return event
    events += 1
    return {
      ...factsOf(event),
      ...{ fd, process },
      arg: (index) => args[index],
      absolutePath: (index) => paths[index],
      user: (uid) => event.user(uid),
      group: (gid) => event.group(gid),
      namesOf: (ip) => event.namesOf(ip),
    }
  }

  return {
    process: redactProcess,
    event: redactEvent,
    text: texts.text,
    get figures() {
      return { processes, events }
    },
  }
}
