import { eventTypes, type Process, type SyscallEvent } from '#events'

export interface FolderOptions {
  /** Makes a copy of an event that lasts. */
  readonly keep: (event: SyscallEvent) => SyscallEvent
  /** Takes what repeats came to: the first of them, with their count. */
  readonly onFolded: (event: SyscallEvent) => void
  /** Nanoseconds for which repeats are gathered; 0 folds nothing. */
  readonly window?: bigint
  /** Different events that are remembered; with their texts they take at most 4 MiB. */
  readonly limit?: number
}

export interface FolderFigures {
  /** Events that became part of another. */
  readonly folded: number
  /** Different events that are remembered now. */
  readonly remembered: number
  /** Windows that ended early because the table was full. */
  readonly evicted: number
}

interface Window {
  /** The first repeat, `undefined` while there was none. */
  first: SyscallEvent | undefined
  count: number
  end: bigint
}

/** Longer identities are not worth a place. */
const longestKey = 512

/**
 * Makes one event of many identical ones (same process and program, type, object, outcome and
 * rights): the first goes out at once, its repeats within the window as one event that has the
 * sequence and time of the first repeat and their count. A window follows the one before while
 * repeats come.
 */
export class Folder {
  readonly #options: Required<FolderOptions>
  readonly #windows = new Map<string, Window>()
  #folded = 0
  #evicted = 0
  #waiting = 0

  constructor(options: FolderOptions) {
    this.#options = { window: 5_000_000_000n, limit: 2048, ...options }
  }

  get figures(): FolderFigures {
    return { folded: this.#folded, remembered: this.#windows.size, evicted: this.#evicted }
  }

  /** Repeats that are counted and not handed on yet. */
  get waiting(): number {
    return this.#waiting
  }

  /** True when the event is the repeat of another and need not go on by itself. */
  fold(event: SyscallEvent, now: bigint): boolean {
    if (this.#options.window === 0n) return false
    const key = identity(event)
    if (key === undefined) return false
    const window = this.#windows.get(key)
    if (window === undefined) {
      if (this.#windows.size >= this.#options.limit) this.#evictOldest()
      const end = now + this.#options.window
      this.#windows.set(key, { first: undefined, count: 0, end })
      return false
    }
    if (now >= window.end) this.#renew(key, window, now)
    if (window.first === undefined) {
      window.first = this.#options.keep(event)
      this.#folded -= 1
    }
    window.count += event.count
    this.#folded += event.count
    this.#waiting += event.count
    return true
  }

  /** Ends the windows that are over. To be called now and then. */
  tick(now: bigint): void {
    for (const [key, window] of this.#windows) {
      // in the order in which they end
      if (now < window.end) return
      if (window.first === undefined) this.#windows.delete(key)
      else this.#renew(key, window, now)
    }
  }

  /** Ends all windows at once. */
  flush(): void {
    for (const window of this.#windows.values()) this.#hand(window)
    this.#windows.clear()
  }

  #renew(key: string, window: Window, now: bigint): void {
    this.#hand(window)
    window.end = now + this.#options.window
    this.#windows.delete(key)
    this.#windows.set(key, window)
  }

  #hand(window: Window): void {
    const { first, count } = window
    window.first = undefined
    window.count = 0
    this.#waiting -= count
    if (first !== undefined) this.#options.onFolded({ ...first, count })
  }

  #evictOldest(): void {
    const [key, window] = this.#windows.entries().next().value!
    this.#evicted += 1
    this.#hand(window)
    this.#windows.delete(key)
  }
}

/**
 * Types whose repeats say nothing new. Not those that start a program or change rights, namespaces,
 * the root or the kernel: there each one counts.
 */
const foldedTypes = new Set(
  (
    'open openat openat2 creat open_by_handle_at close read write readv writev pread64 pwrite64 ' +
    'preadv pwritev access faccessat faccessat2 stat lstat fstat newfstatat statx readlink ' +
    'readlinkat getdents getdents64 lseek fcntl ioctl dup dup2 dup3 socket socketpair connect ' +
    'accept accept4 bind listen shutdown getsockname getpeername getsockopt setsockopt sendto ' +
    'sendmsg sendmmsg recvfrom recvmsg recvmmsg sendfile splice pipe pipe2 eventfd eventfd2 io_uring_enter ' +
    'epoll_create epoll_create1 poll ppoll select mmap munmap mprotect brk futex nanosleep ' +
    'chdir fchdir getcwd truncate ftruncate utimensat mkdir mkdirat rmdir unlink unlinkat rename ' +
    'renameat renameat2 link linkat symlink symlinkat kill tkill tgkill'
  ).split(' '),
)

/** Parameters that differ from call to call without meaning anything: numbers of descriptors, sizes. */
const incidental = new Set([
  ...['res', 'fd', 'fd1', 'fd2', 'data', 'size', 'tuple', 'addr', 'dev', 'ino', 'msgcontrol'],
  ...['fd_in', 'fd_out', 'out_fd', 'in_fd', 'offset', 'to_submit', 'min_complete'],
  ...['queuepct', 'queuelen', 'queuemax', 'source', 'peer'],
])

/** By event type: the numbers of the parameters that make an event what it is. */
const tellingParams: readonly (readonly number[] | undefined)[] = eventTypes.map((type) => {
  if (!foldedTypes.has(type.name)) return undefined
  return type.params.flatMap(({ name }, index) => (incidental.has(name) ? [] : [index]))
})

let images = 0
const imageNumbers = new WeakMap<Process, number>()

/** A program in a process: an exec makes another. */
function imageNumber(process: Process): number {
  let number = imageNumbers.get(process)
  if (number === undefined) {
    number = images++
    imageNumbers.set(process, number)
  }
  return number
}

function identity(event: SyscallEvent): string | undefined {
  const params = tellingParams[event.type]
  if (params === undefined) return undefined
  const { process, result, fd } = event
  let key = `${imageNumber(process)} ${event.type} ${event.flags} ${event.euid} ${event.egid} ${event.capEffective}`
  // a descriptor or a size is success, whatever its number
  key += result === undefined || result >= 0 ? ' ok' : ` ${result}`
  if (fd !== undefined) {
    const { socket } = fd
    // a client's own port and a server's peer's are new each time
    const port = socket?.role === 'server' ? socket.localPort : socket?.remotePort
    key += ` ${fd.kind} `
    key += socket ? `${socket.role} ${socket.localIp} ${socket.remoteIp} ${port}` : fd.name
    if (fd.rawName !== fd.name) key += ` ${fd.rawName}`
  }
  for (const index of params) {
    const value = event.arg(index)
    key += `\0${value instanceof Uint8Array ? value.join() : value}`
    if (key.length > longestKey) return undefined
  }
  return key.length > longestKey ? undefined : key
}
