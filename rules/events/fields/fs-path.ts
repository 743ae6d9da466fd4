import type { SyscallEvent } from '../event.ts'
import { eventTypes } from '../event-types.ts'
import type { Value } from '../value.ts'
import { absoluteArgument } from './argument-text.ts'
import { type Binder, type Binders, byEventType, plain } from './binder.ts'
import { existing } from './fd-kind.ts'
import { nativeArgument } from './native-argument.ts'

/** Name of the argument that is the one path of a call; "" for the descriptor's own path. */
const paths = byEventType<string | undefined>(
  {
    mkdir: 'path',
    mkdirat: 'path',
    rmdir: 'path',
    unlink: 'path',
    unlinkat: 'name',
    open: 'name',
    openat: 'name',
    openat2: 'name',
    chmod: 'filename',
    fchmodat: 'filename',
    fchmod: '',
    chown: 'path',
    lchown: 'path',
    fchown: '',
    fchownat: 'pathname',
    quotactl: 'special',
    umount: 'name',
    umount2: 'name',
  },
  undefined,
)

/** Source and target of the two-path calls. For links Falco's source is the new name. */
const sources = byEventType<string | undefined>(
  {
    rename: 'oldpath',
    renameat: 'oldpath',
    renameat2: 'oldpath',
    link: 'newpath',
    linkat: 'newpath',
    symlink: 'linkpath',
    symlinkat: 'linkpath',
    mount: 'dev',
  },
  undefined,
)
const targets = byEventType<string | undefined>(
  {
    rename: 'newpath',
    renameat: 'newpath',
    renameat2: 'newpath',
    link: 'oldpath',
    linkat: 'oldpath',
    symlink: 'target',
    symlinkat: 'target',
    mount: 'dir',
  },
  undefined,
)

/** A path of a successful call, absolute or as the caller gave it. */
function pathField(argumentNames: readonly (string | undefined)[], raw: boolean): Binder {
  const indexes = argumentNames.map((name, type) =>
    eventTypes[type]!.params.findIndex((param) => param.name === name),
  )
  return plain((event: SyscallEvent): Value => {
    const name = argumentNames[event.type]
    if (name === undefined || event.result === undefined || event.result < 0) return undefined
    if (name === '') return existing(event.fd)?.name
    const index = indexes[event.type]!
    const path = nativeArgument(event, index)
    if (typeof path !== 'string') return undefined
    return raw ? path : absoluteArgument(event, path, index)
  })
}

/** Paths of the calls that work on the file system by name. */
export const fsPathFields: Binders = {
  'fs.path.name': pathField(paths, false),
  'fs.path.nameraw': pathField(paths, true),
  'fs.path.source': pathField(sources, false),
  'fs.path.sourceraw': pathField(sources, true),
  'fs.path.target': pathField(targets, false),
  'fs.path.targetraw': pathField(targets, true),
}
