import type { Socket, SyscallEvent } from '../event.ts'
import type { Value } from '../value.ts'
import { type Binder, type Binders, plain } from './binder.ts'
import { existing, isListening, settledSocket } from './fd-kind.ts'

type Side = 'client' | 'server' | 'local' | 'remote'

/** Whether a side is this end of the socket; `undefined` when a listening socket lacks the side. */
function isLocal(socket: Socket, side: Side): boolean | undefined {
  if (isListening(socket)) return side === 'server' ? true : undefined
  if (side === 'local' || side === 'remote') return side === 'local'
  return side === socket.role
}

function ipOf(event: SyscallEvent, side: Side): string | undefined {
  const socket = settledSocket(event.fd)
  const local = socket === undefined ? undefined : isLocal(socket, side)
  if (local === undefined) return undefined
  return (local ? socket!.localIp : socket!.remoteIp) || undefined
}

function portOf(event: SyscallEvent, side: Side): number | undefined {
  const socket = settledSocket(event.fd)
  const local = socket === undefined ? undefined : isLocal(socket, side)
  if (local === undefined) return undefined
  return local ? socket!.localPort : socket!.remotePort
}

const ip = (side: Side): Binder => plain((event) => ipOf(event, side))
const port = (side: Side): Binder => plain((event) => portOf(event, side))

/** Falco shows the port number here unless it is told to look services up. */
const service = (side: Side): Binder =>
  plain((event) => {
    const number = portOf(event, side)
    return number === undefined ? undefined : String(number)
  })

/** All names of an address: `undefined` without an address, an empty list without a name. */
const names = (side: Side): Binder =>
  plain((event) => {
    const address = ipOf(event, side)
    if (address === undefined) return undefined
    const known = event.namesOf(address)
    return known.length === 1 ? known[0] : known
  })

/** The addresses of both ends, client first; of a listening socket its own. */
function bothIps(event: SyscallEvent): Value {
  const client = ipOf(event, 'client')
  const server = ipOf(event, 'server')
  if (client === undefined) return server
  return server === undefined ? client : [client, server]
}

function bothPorts(event: SyscallEvent): Value {
  const client = portOf(event, 'client')
  const server = portOf(event, 'server')
  if (client === undefined) return server
  return server === undefined ? client : [client, server]
}

function protocol({ fd }: SyscallEvent): Value {
  if (existing(fd) === undefined) return undefined
  return settledSocket(fd)?.l4proto ?? '<NA>'
}

function family({ fd }: SyscallEvent): Value {
  const kind = existing(fd)?.kind
  if (kind === 'ipv4' || kind === 'ipv6') return 'ip'
  return kind === 'unix' ? 'unix' : undefined
}

/** Endpoints of the socket the event is about. */
export const fdSocketFields: Binders = {
  'fd.ip': plain(bothIps),
  'fd.cip': ip('client'),
  'fd.sip': ip('server'),
  'fd.lip': ip('local'),
  'fd.rip': ip('remote'),
  // Networks are matched on the address.
  'fd.net': plain(bothIps),
  'fd.cnet': ip('client'),
  'fd.snet': ip('server'),
  'fd.lnet': ip('local'),
  'fd.rnet': ip('remote'),
  'fd.port': plain(bothPorts),
  'fd.proto': plain(bothPorts),
  'fd.cport': port('client'),
  'fd.sport': port('server'),
  'fd.lport': port('local'),
  'fd.rport': port('remote'),
  'fd.cproto': service('client'),
  'fd.sproto': service('server'),
  'fd.lproto': service('local'),
  'fd.rproto': service('remote'),
  'fd.cip.name': names('client'),
  'fd.sip.name': names('server'),
  'fd.lip.name': names('local'),
  'fd.rip.name': names('remote'),
  'fd.l4proto': plain(protocol),
  'fd.sockfamily': plain(family),
  'fd.is_server': plain(({ fd }) =>
    existing(fd) === undefined ? undefined : settledSocket(fd)?.role === 'server',
  ),
  'fd.connected': plain(({ fd }) =>
    existing(fd) === undefined ? undefined : (fd!.socket?.connected ?? false),
  ),
  'fd.name_changed': plain(({ fd }) =>
    existing(fd) === undefined ? undefined : (fd!.socket?.nameChanged ?? false),
  ),
}
