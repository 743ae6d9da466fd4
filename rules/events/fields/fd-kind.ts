import type { FdKind, FileDescriptor, Socket } from '../event.ts'

/** Falco's letter and word for each kind of descriptor. */
const kinds: Readonly<Record<FdKind, readonly [letter: string, word: string]>> = {
  file: ['f', 'file'],
  directory: ['d', 'directory'],
  ipv4: ['4', 'ipv4'],
  ipv6: ['6', 'ipv6'],
  unix: ['u', 'unix'],
  pipe: ['p', 'pipe'],
  event: ['e', 'event'],
  signalfd: ['s', 'signalfd'],
  eventpoll: ['l', 'eventpoll'],
  inotify: ['i', 'inotify'],
  timerfd: ['t', 'timerfd'],
  netlink: ['n', 'netlink'],
  bpf: ['b', 'bpf'],
  userfaultfd: ['u', 'userfaultfd'],
  io_uring: ['r', 'io_uring'],
  memfd: ['m', 'memfd'],
  pidfd: ['P', 'pidfd'],
  unknown: ['o', '<NA>'],
}

export function kindLetter(kind: FdKind): string {
  return kinds[kind][0]
}

export function kindWord(kind: FdKind): string {
  return kinds[kind][1]
}

/** The descriptor when it exists, i.e. when the call that should have made it succeeded. */
export function existing(fd: FileDescriptor | undefined): FileDescriptor | undefined {
  return fd !== undefined && fd.num >= 0 ? fd : undefined
}

/** An Internet socket that knows which side it is on; Falco has no endpoints before that. */
export function settledSocket(fd: FileDescriptor | undefined): Socket | undefined {
  if (fd === undefined || (fd.kind !== 'ipv4' && fd.kind !== 'ipv6')) return undefined
  return fd.num < 0 || fd.socket?.role === undefined ? undefined : fd.socket
}

/** A socket that is bound and has no peer: Falco's server socket, with a server side only. */
export function isListening(socket: Socket): boolean {
  return socket.role === 'server' && socket.remoteIp === ''
}
