import { alertJson } from '#engine'

/** A detail that may have been cut to fit into an entry of the bus. */
export interface FittedDetail {
  readonly text: string
  /** Paths of what was cut; empty when nothing was. */
  readonly cut: readonly string[]
}

/** Where a text lies in a detail. */
interface Leaf {
  readonly holder: Record<string, unknown>
  readonly key: string
  readonly path: string
  readonly bytes: number
}

/** A cut text says so itself, for those who do not look at `cut`. */
const mark = '… (cut)'
const least = 64

/**
 * Makes a detail fit into `most` bytes of JSON: its longest texts are cut one after the other, each by
 * half or to the room there is, and their paths named in its `cut`; `full` says where all of it lies.
 * Throws a `RangeError` when cutting texts does not help.
 */
export function fitDetail(detail: object, most: number, full: string): FittedDetail {
  const text = alertJson(detail)
  if (Buffer.byteLength(text) <= most) return { text, cut: [] }
  const copy = structuredClone(detail) as Record<string, unknown>
  const cut = new Set<string>()
  for (;;) {
    const fitted = alertJson({ ...copy, cut: [...cut], full })
    const over = Buffer.byteLength(fitted) - most
    if (over <= 0) return { text: fitted, cut: [...cut] }
    const longest = leavesOf(copy, '').sort((a, b) => b.bytes - a.bytes)[0]
    if (longest === undefined || longest.bytes <= least) {
      throw new RangeError(`a detail of ${Buffer.byteLength(text)} bytes cannot be cut to ${most}`)
    }
    const { holder, key, path, bytes } = longest
    const keep = Math.max(least >> 1, Math.min(bytes >> 1, bytes - over - mark.length * 3))
    holder[key] = shorten(holder[key] as string, keep)
    cut.add(path)
  }
}

function leavesOf(value: unknown, path: string): Leaf[] {
  if (typeof value !== 'object' || value === null) return []
  const holder = value as Record<string, unknown>
  return Object.entries(holder).flatMap(([key, member]): Leaf[] => {
    const at = path === '' ? key : `${path}.${key}`
    if (typeof member === 'string') return [{ holder, key, path: at, bytes: jsonBytes(member) }]
    return leavesOf(member, at)
  })
}

/** The beginning of a text that takes at most so many bytes as JSON, and a mark. */
function shorten(text: string, bytes: number): string {
  let used = 0
  let end = 0
  for (const character of text) {
    used += jsonBytes(character)
    if (used > bytes) break
    end += character.length
  }
  return `${text.slice(0, end)}${mark}`
}

function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2
}
