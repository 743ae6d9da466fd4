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

interface Seen {
  role: Socket['role']
  name: string
}

/**
 * What no single event tells of a socket: which side its process is on, and whether its endpoints
 * are the same as last time. Bounded; the socket not used for longest is forgotten first.
 */
export class SocketMemory {
  readonly #seen = new Map<number, Seen>()
  evicted = 0

  /** The first call that decides the role wins: a server that answers stays a server. */
  role(inode: number, call: string, localPort: number, remotePort: number): Socket['role'] {
    const seen = this.#touch(inode)
    const decided = roleOfCall[call]
    if (seen.role === undefined || call === 'connect' || call === 'accept4') {
      seen.role = decided ?? guess(localPort, remotePort)
    }
    return seen.role
  }

  /** Whether `name` differs from the name this socket had at its last event. */
  nameChanged(inode: number, name: string): boolean {
    const seen = this.#touch(inode)
    if (seen.name === name) return false
    seen.name = name
    return true
  }

  #touch(inode: number): Seen {
    let seen = this.#seen.get(inode)
    if (seen === undefined) {
      seen = { role: undefined, name: '' }
      if (this.#seen.size >= MAX_SOCKETS) {
        const [oldest] = this.#seen.keys()
        this.#seen.delete(oldest!)
        this.evicted += 1
      }
    } else {
      this.#seen.delete(inode)
    }
    this.#seen.set(inode, seen)
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
