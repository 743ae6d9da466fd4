import { isNowhere, type PathLists, type WantedPaths } from '#engine'
import { encodeText } from '#events'
import { FILTER, FILTER_BYTES, MAX_LISTED, MAX_PREFIX, MAX_SUFFIX } from './layout.ts'

/** What the rules want of the processes of one scope. */
export interface ScopeFilter {
  /** Native system call numbers. */
  readonly syscalls: Iterable<number>
  /** Where opened files must lie, by class of open; see `wantedOpens`. */
  readonly opens: readonly WantedPaths[]
}

/** What the rules want from the kernel. */
export interface KernelFilter {
  /** Of every process. */
  readonly any: ScopeFilter
  /** Of processes that are certainly in no container; no more than of any. */
  readonly host: ScopeFilter
  /** Whether an exec brings its environment. */
  readonly environment: boolean
}

const ListKind = { prefix: 0, suffix: 1 } as const
const ENTRY_HEAD_BYTES = 4
const HOST_SHIFT = 8

/** Texts of a list of the kernel's and for which classes each counts. */
type List = Map<string, number>

/**
 * The bytes of a filter as the sensor takes them: `struct filter`, then the entries of its lists.
 * Rules with more paths than the lists can hold get every path.
 */
export function encodeFilter(filter: KernelFilter): { entries: number; body: Uint8Array } {
  const { any, host, environment } = filter
  const prefixes: List = new Map()
  const suffixes: List = new Map()
  for (const [scope, shift] of [[any, 0] as const, [host, HOST_SHIFT] as const]) {
    for (const [number, paths] of scope.opens.entries()) {
      if (paths !== 'any') addLists(prefixes, suffixes, paths, 1 << (number + shift))
    }
  }
  const everywhere = prefixes.size > MAX_LISTED || suffixes.size > MAX_LISTED
  const head = new DataView(new ArrayBuffer(FILTER_BYTES))
  const masks = [any, host].map(({ opens }) => masksOf(opens, everywhere))
  for (const [scope, { syscalls }] of [any, host].entries()) {
    for (const number of syscalls) {
      const at = FILTER.wanted + scope * 64 + (number >> 6) * 8
      head.setBigUint64(at, head.getBigUint64(at, true) | (1n << BigInt(number & 63)), true)
    }
    const { opens, listed, dotted } = masks[scope]!
    head.setUint32(FILTER.opens + scope * 4, opens, true)
    head.setUint32(FILTER.listed_opens + scope * 4, listed, true)
    head.setUint32(FILTER.dotted_opens + scope * 4, dotted, true)
  }
  const differs = JSON.stringify(masks[0]) !== JSON.stringify(masks[1])
  head.setUint32(FILTER.opens_differ, differs ? 1 : 0, true)
  head.setUint32(FILTER.environment, environment ? 1 : 0, true)
  const entries = everywhere
    ? []
    : [
        ...encodeList(ListKind.prefix, closed(prefixes)),
        ...encodeList(ListKind.suffix, closed(suffixes)),
      ]
  return { entries: entries.length, body: concat([new Uint8Array(head.buffer), ...entries]) }
}

function masksOf(opens: readonly WantedPaths[], everywhere: boolean) {
  const masks = { opens: 0, listed: 0, dotted: 0 }
  for (const [number, paths] of opens.entries()) {
    const bit = 1 << number
    if (isNowhere(paths)) continue
    if (paths === 'any' || everywhere) masks.opens |= bit
    else {
      if (!isNowhere({ ...paths, dotted: false })) masks.listed |= bit
      if (paths.dotted) masks.dotted |= bit
    }
  }
  return masks
}

/** A text is cut where the kernel's key ends: the list then lets through more, never less. */
function addLists(prefixes: List, suffixes: List, paths: PathLists, bit: number): void {
  const add = (list: List, text: string) => list.set(text, (list.get(text) ?? 0) | bit)
  for (const text of paths.exact) add(prefixes, cut(`${text}\0`, MAX_PREFIX))
  for (const text of paths.prefixes) add(prefixes, cut(text, MAX_PREFIX))
  for (const text of paths.suffixes) add(suffixes, backwards(text))
}

/** Bytes as a text of characters below 256, so that texts compare as the kernel compares. */
function cut(text: string, limit: number): string {
  return String.fromCharCode(...encodeText(text).subarray(0, limit))
}

/** The last component from its end, with the slash before it when the text has one. */
function backwards(text: string): string {
  const bytes = cut(text, Number.POSITIVE_INFINITY)
  const slash = bytes.lastIndexOf('/')
  return [...bytes.slice(Math.max(slash, 0))].reverse().join('').slice(0, MAX_SUFFIX)
}

/** The kernel finds the longest entry alone: it also carries what its own beginnings are wanted for. */
function closed(list: List): List {
  const result: List = new Map()
  for (const [text, mask] of list) {
    let all = mask
    for (let end = 0; end < text.length; end++) all |= list.get(text.slice(0, end)) ?? 0
    result.set(text, all)
  }
  return result
}

function encodeList(kind: number, list: List): Uint8Array[] {
  return [...list].map(([text, mask]) => {
    const entry = new Uint8Array(ENTRY_HEAD_BYTES + text.length)
    new DataView(entry.buffer).setUint16(0, mask, true)
    entry[2] = kind
    entry[3] = text.length
    for (let i = 0; i < text.length; i++) entry[ENTRY_HEAD_BYTES + i] = text.charCodeAt(i)
    return entry
  })
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
