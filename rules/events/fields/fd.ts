import type { FileDescriptor, SyscallEvent } from '../event.ts'
import type { Extractor, Value } from '../value.ts'
import { type Binder, type Binders, byEventType, plain } from './binder.ts'
import { existing, kindLetter, kindWord } from './fd-kind.ts'

/** Letter for a call that made no descriptor because it failed. That of `open` is so in Falco. */
const failedLetters = byEventType<string>(
  {
    openat: 'f',
    openat2: 'f',
    creat: 'f',
    socket: '4',
    accept: '4',
    accept4: '4',
    pipe: 'p',
    pipe2: 'p',
    eventfd: 'e',
    eventfd2: 'e',
    signalfd: 's',
    signalfd4: 's',
    timerfd_create: 't',
    inotify_init: 'i',
    inotify_init1: 'i',
  },
  'o',
)

function letter({ type, fd }: SyscallEvent): Value {
  if (fd === undefined) return undefined
  return fd.num < 0 ? failedLetters[type] : kindLetter(fd.kind)
}

const MOST_KEPT = 1024

/**
 * Remembers the results of the last paths. A part of a path made anew would be hashed anew by each
 * rule that looks it up in a list.
 */
function kept(part: (path: string) => string): (path: string) => string {
  const known = new Map<string, string>()
  return (path) => {
    let result = known.get(path)
    if (result === undefined) {
      if (known.size >= MOST_KEPT) known.clear()
      result = part(path)
      known.set(path, result)
    }
    return result
  }
}

/** Directory of a path; a trailing slash names a directory itself. */
const directoryOf = kept((path) => {
  const slash = path.lastIndexOf('/')
  if (slash <= 0) return '/'
  return slash === path.length - 1 ? path : path.slice(0, slash)
})

/** Last component of a path. */
const baseOf = kept((path) => {
  const slash = path.lastIndexOf('/')
  if (slash < 0) return '/'
  return slash === path.length - 1 ? path : path.slice(slash + 1)
})

function directory({ fd }: SyscallEvent): string | undefined {
  if (fd === undefined) return undefined
  if (fd.num < 0 || fd.kind === 'file') return directoryOf(fd.name)
  return fd.kind === 'directory' ? fd.name : undefined
}

function filename({ fd }: SyscallEvent): Value {
  if (fd === undefined || fd.num < 0 || fd.kind !== 'file') return undefined
  return baseOf(fd.name)
}

function rawName({ fd }: SyscallEvent): Value {
  if (fd === undefined) return undefined
  const name = fd.rawName ?? ''
  return name.includes('//') ? name.replace(/\/{2,}/g, '/') : name
}

function inContainer(read: (event: SyscallEvent) => string | undefined): Binder {
  return plain((event) => {
    const value = read(event)
    return value === undefined ? undefined : `${event.process.container?.id ?? 'host'}:${value}`
  })
}

/** A fact that only a descriptor that exists has. */
function fact(read: (fd: FileDescriptor) => Value): Binder {
  const extract: Extractor<SyscallEvent> = (event) => {
    const fd = existing(event.fd)
    return fd === undefined ? undefined : read(fd)
  }
  return plain(extract)
}

/** The descriptor the event is about; its endpoints are in `fd-socket.ts`. */
export const fdFields: Binders = {
  'fd.num': plain(({ fd }) => fd?.num),
  'fd.type': fact(({ kind }) => kindWord(kind)),
  'fd.typechar': plain(letter),
  'fd.name': plain(({ fd }) => fd?.name),
  'fd.nameraw': plain(rawName),
  'fd.directory': plain(directory),
  'fd.filename': plain(filename),
  'fd.containername': inContainer(({ fd }) => fd?.name),
  'fd.containerdirectory': inContainer(directory),
  'fd.uid': plain(({ tid, fd }) => (fd === undefined ? undefined : `${tid}${fd.num}`)),
  // A device number is the 32-bit form that stat(2) gives: minor low and high around the major.
  'fd.dev': fact(({ dev }) => dev),
  'fd.dev.major': fact(({ dev }) => (dev >>> 8) & 0xfff),
  'fd.dev.minor': fact(({ dev }) => (dev & 0xff) | ((dev >>> 12) & 0xfff00)),
  'fd.ino': fact(({ inode }) => inode),
  'fd.is_upper_layer': fact(({ layer }) => layer === 'upper'),
  'fd.is_lower_layer': fact(({ layer }) => layer === 'lower'),
}
