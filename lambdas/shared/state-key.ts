import { createHash } from 'node:crypto'

/**
 * Key of an item of state: its kind, then what it is about. Names that come from nodes may be long or
 * hold anything, so what is not plain is hashed: two different names never share a key, and none is
 * longer than a table takes.
 */
export function itemKey(kind: string, ...about: readonly string[]): string {
  const isPlain = about.every((part) => plain.test(part))
  return isPlain ? [kind, ...about].join('/') : `${kind}/~${hashOf(about)}`
}

const plain = /^[\w.:-]{1,128}$/

/** JSON keeps apart what UTF-8 does not: bytes that are no text. */
function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40)
}
