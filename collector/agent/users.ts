import { readFileSync, statSync } from 'node:fs'
import { decodeBytes, type Group, type Process, type User } from '#events'
import { parseGroup, parsePasswd } from './passwd.ts'

export type AccountFile = 'passwd' | 'group'

/** The host's own files. */
export interface HostAccounts {
  /** Changes whenever the file does; `undefined` when there is none. */
  version(file: AccountFile): number | undefined
  read(file: AccountFile): Uint8Array | undefined
}

export interface UserTableOptions {
  readonly host: HostAccounts
  /** A file of the root that a process lives in, `undefined` when there is none. */
  readonly readRootFile: (pid: number, file: AccountFile) => Uint8Array | undefined
  /** Milliseconds, from any start. */
  readonly now: () => number
  /** Containers whose files are kept. */
  readonly containerLimit?: number
  /** Milliseconds between looks at the version of the host's files. */
  readonly hostCheck?: number
  /** Milliseconds after which the files of a container are read again. */
  readonly containerAge?: number
}

interface Accounts {
  readonly users: ReadonlyMap<number, User>
  readonly groups: ReadonlyMap<number, Group>
  readonly readAt: number
}

/**
 * Names of users and groups, from the files of the host or of the container a process is in. A file
 * that cannot be read leaves its names unknown until it is read again.
 */
export class UserTable {
  readonly #options: Required<UserTableOptions>
  readonly #containers = new Map<string, Accounts>()
  readonly #users = new Parsed(parsePasswd)
  readonly #groups = new Parsed(parseGroup)
  #host: Accounts | undefined
  #hostVersions = ''
  #hostCheckedAt = Number.NEGATIVE_INFINITY

  constructor(options: UserTableOptions) {
    this.#options = { containerLimit: 256, hostCheck: 1000, containerAge: 60_000, ...options }
  }

  user(uid: number, process: Process): User | undefined {
    return this.#accounts(process).users.get(uid)
  }

  group(gid: number, process: Process): Group | undefined {
    return this.#accounts(process).groups.get(gid)
  }

  #accounts(process: Process): Accounts {
    const { container } = process
    return container === undefined
      ? this.#hostAccounts()
      : this.#containerAccounts(container.fullId, process.pid)
  }

  #hostAccounts(): Accounts {
    const { host, hostCheck, now } = this.#options
    const time = now()
    if (this.#host !== undefined && time - this.#hostCheckedAt < hostCheck) return this.#host
    this.#hostCheckedAt = time
    const versions = `${host.version('passwd')} ${host.version('group')}`
    if (this.#host === undefined || versions !== this.#hostVersions) {
      this.#hostVersions = versions
      this.#host = this.#read((file) => host.read(file), time)
    }
    return this.#host
  }

  #containerAccounts(fullId: string, pid: number): Accounts {
    const { readRootFile, containerAge, containerLimit, now } = this.#options
    const time = now()
    const known = this.#containers.get(fullId)
    if (known !== undefined && time - known.readAt < containerAge) return known
    const read = this.#read((file) => readRootFile(pid, file), time)
    // The process may be gone, and its root with it: what was known before is better than nothing.
    const kept = read.users.size === 0 && known !== undefined ? { ...known, readAt: time } : read
    this.#containers.delete(fullId)
    if (this.#containers.size >= containerLimit) {
      const oldest = this.#containers.keys().next()
      if (!oldest.done) this.#containers.delete(oldest.value)
    }
    this.#containers.set(fullId, kept)
    return kept
  }

  #read(read: (file: AccountFile) => Uint8Array | undefined, readAt: number): Accounts {
    const text = (file: AccountFile) => {
      const bytes = read(file)
      return bytes === undefined ? '' : decodeBytes(bytes)
    }
    return { users: this.#users.of(text('passwd')), groups: this.#groups.of(text('group')), readAt }
  }
}

/** Texts whose meaning is kept, of either file. */
const textsKept = 16
/** Longer ones are read anew each time: they would be kept for nothing. */
const longestKept = 16 << 10

/** Containers of one image have the same files: their entries are there once. */
class Parsed<Entries> {
  readonly #parse: (text: string) => Entries
  readonly #kept = new Map<string, Entries>()

  constructor(parse: (text: string) => Entries) {
    this.#parse = parse
  }

  of(text: string): Entries {
    const entries = this.#kept.get(text) ?? this.#parse(text)
    if (text.length > longestKept) return entries
    // last used, last in the map
    this.#kept.delete(text)
    if (this.#kept.size >= textsKept) this.#kept.delete(this.#kept.keys().next().value!)
    this.#kept.set(text, entries)
    return entries
  }
}

/** A host's file is not believed beyond this. */
const fileLimit = 4 << 20

/** The files of a root directory that this process can read, `/` by default. */
export function accountsUnder(root = '/'): HostAccounts {
  const path = (file: AccountFile) => `${root.replace(/\/$/, '')}/etc/${file}`
  return {
    version(file) {
      const found = statSync(path(file), { throwIfNoEntry: false })
      return found === undefined ? undefined : found.mtimeMs + found.ino
    },
    read(file) {
      try {
        return readFileSync(path(file)).subarray(0, fileLimit)
      } catch {
        return undefined
      }
    },
  }
}
