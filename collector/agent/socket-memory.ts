import type { Socket } from '#events'

const MAX_SOCKETS = 8192
/** Below: ports that servers listen on, by Linux's default range of ephemeral ports. */
const FIRST_EPHEMERAL_PORT = 32768

const roleOfCall: Readonly<Record<string, Socket['role']>> = {
  connect: 'client',
  sendto: 'client',
  sendmsg: 'client',
  accept: 'server',
  accept4: 'server',
  bind: 'server',
  listen: 'server',
  recvfrom: 'server',
  recvmsg: 'server',
}

/** The two ends of a socket in the order of its name; '' and 0 for an end that it does not name. */
export interface Ends {
  readonly firstIp: string
  readonly firstPort: number
  readonly secondIp: string
  readonly secondPort: number
}

/** What is remembered of one socket. */
interface Seen {
  role: Socket['role']
  ends: Ends
}

export const noEnds: Ends = { firstIp: '', firstPort: 0, secondIp: '', secondPort: 0 }

/**
 * What no single event tells of a socket: which side its process is on, and whether its endpoints
 * are the same as last time. Bounded: of the sockets not used since `MAX_SOCKETS / 2` others were,
 * nothing is remembered.
 */
export class SocketMemory {
  // Two generations instead of one map in order of use: moving an entry to the end of a map at
  // every event costs more than all the rest of the event.
  #recent = new Map<number, Seen>()
  #older = new Map<number, Seen>()
  #lastInode = -1
  #last: Seen = { role: undefined, ends: noEnds }
  /** Sockets that had to go for others. */
  evicted = 0

  get size(): number {
    return this.#recent.size + this.#older.size
  }

  /** The first call that decides the role wins: a server that answers stays a server. */
  role(inode: number, call: string, localPort: number, remotePort: number): Socket['role'] {
    const seen = this.#touch(inode)
    if (seen.role === undefined || call === 'connect' || call === 'accept4') {
      seen.role = roleOfCall[call] ?? guess(localPort, remotePort)
    }
    return seen.role
  }

  /** Whether the ends differ from those that this socket had at its last event; `ends` is kept. */
  changed(inode: number, ends: Ends): boolean {
    const seen = this.#touch(inode)
    const before = seen.ends
    if (
      before.firstPort === ends.firstPort &&
      before.secondPort === ends.secondPort &&
      before.firstIp === ends.firstIp &&
      before.secondIp === ends.secondIp
    ) {
      return false
    }
    seen.ends = ends
    return true
  }

  #touch(inode: number): Seen {
    if (inode === this.#lastInode) return this.#last
    let seen = this.#recent.get(inode)
    if (seen === undefined) {
      seen = this.#older.get(inode)
      if (seen === undefined) seen = { role: undefined, ends: noEnds }
      else this.#older.delete(inode)
      if (this.#recent.size >= MAX_SOCKETS / 2) {
        this.evicted += this.#older.size
        this.#older = this.#recent
        this.#recent = new Map()
      }
      this.#recent.set(inode, seen)
    }
    this.#lastInode = inode
    this.#last = seen
    return seen
  }
}

/** For a socket whose beginning was not seen: servers sit on low ports. */
function guess(localPort: number, remotePort: number): Socket['role'] {
  if (remotePort === 0) return undefined
  return localPort < FIRST_EPHEMERAL_PORT && remotePort >= FIRST_EPHEMERAL_PORT
    ? 'server'
    : 'client'
}
