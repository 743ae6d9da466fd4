import type { Container, Mount } from '../event.ts'
import type { Value } from '../value.ts'
import type { Binder, Binders } from './binder.ts'

/** The mounts of a container: all of them, or one by its number or by a path that may be a glob. */
export const mountFields: Binders = {
  'container.mounts': () => mountsOf((mounts) => known(mounts.map(textOf).join(','))),
  'container.mount': one('source', textOf),
  'container.mount.source': one('dest', ({ source }) => known(source)),
  'container.mount.dest': one('source', ({ dest }) => known(dest)),
  'container.mount.mode': one('source', ({ mode }) => known(mode)),
  'container.mount.rdwr': one('source', ({ rdwr }) => String(rdwr)),
  'container.mount.propagation': one('source', ({ propagation }) => known(propagation)),
}

function mountsOf(read: (mounts: readonly Mount[]) => Value) {
  return ({ process }: { process: { container: Container | undefined } }): Value => {
    const mounts = process.container?.mounts
    return mounts === undefined ? undefined : read(mounts)
  }
}

/** The first mount whose path on this side fits the argument, or the one of that number. */
function one(side: 'source' | 'dest', read: (mount: Mount) => Value): Binder {
  return (arg) => {
    if (arg === undefined) return undefined
    const isNumber = /^(?:0|[1-9]\d{0,8})$/.test(arg)
    return mountsOf((mounts) => {
      const mount = isNumber
        ? mounts[Number(arg)]
        : mounts.find((each) => each[side] !== '' && matchesGlob(arg, each[side]))
      return mount === undefined ? undefined : read(mount)
    })
  }
}

function textOf({ source, dest, mode, rdwr, propagation }: Mount): string {
  return `${source}:${dest}:${mode}:${rdwr}:${propagation}`
}

function known(text: string): Value {
  return text === '' ? undefined : text
}

/**
 * `*` and `?` cross slashes. A bracket cannot stand in an argument, so there are no classes. Never
 * slower than pattern length times text length: only the last star is ever moved.
 */
function matchesGlob(pattern: string, text: string): boolean {
  let at = 0
  let star = -1
  let resume = 0
  for (let i = 0; i < text.length; ) {
    if (pattern[at] === '*') {
      star = at++
      resume = i
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[i])) {
      at += 1
      i += 1
    } else if (star >= 0) {
      at = star + 1
      resume += 1
      i = resume
    } else {
      return false
    }
  }
  while (pattern[at] === '*') at += 1
  return at === pattern.length
}
