import { eventTypes, type FieldRef } from '#events'
import { couldMatch, type Known, unknown } from './edge-filter.ts'
import { eventTypesOf } from './event-types-of.ts'
import type { Rule } from './rule.ts'
import { isNowhere, nowhere, union, type WantedPaths, wantedPaths } from './wanted-paths.ts'

/** What is certain of where a process runs: nothing, or that it is in no container. */
export type Scope = 'any' | 'host'

/** Opens are told apart by outcome and access mode: class number `failed * 4 + access mode`. */
export const openClasses = [0, 1, 2, 3, 4, 5, 6, 7] as const

const openCalls = ['open', 'openat', 'openat2', 'creat']
const firstFailed = 4

/** Numbers of the event types for which any enabled rule can match, for a process of that scope. */
export function wantedEventTypes(
  rules: readonly Rule[],
  scope: Scope = 'any',
): ReadonlySet<number> {
  const wanted = new Set<number>()
  for (const { condition, enabled } of rules) {
    if (!enabled) continue
    for (const [type, possible] of eventTypesOf(condition).entries()) {
      if (possible === 0 || wanted.has(type)) continue
      if (scope === 'any' || couldMatch(condition, callOf(eventTypes[type]!.name, scope))) {
        wanted.add(type)
      }
    }
  }
  return wanted
}

/**
 * Where the files must lie for a rule to match open, openat, openat2 and creat, by class: bit
 * `failed * 4 + access`, where access is the low two bits of the kernel's flags (0 read, 1 write,
 * 2 both, 3 other) and failed is 1 for a negative result. An open that failed has no file: where its
 * path matters it is wanted everywhere.
 */
export function wantedOpens(rules: readonly Rule[], scope: Scope = 'any'): readonly WantedPaths[] {
  return openClasses.map((number) => {
    const failed = number >= firstFailed
    const wanted = openCalls
      .map((name) => wantedPaths(rules, openOf(name, failed, number % firstFailed, scope)))
      .reduce(union, nowhere)
    if (!failed || wanted === 'any') return wanted
    return isNowhere({ ...wanted, dotted: false }) ? wanted : 'any'
  })
}

/** The classes of {@link wantedOpens} that are wanted somewhere, as a mask. */
export function wantedOpenClasses(rules: readonly Rule[]): number {
  return wantedOpens(rules).reduce(
    (mask, paths, i) => (isNowhere(paths) ? mask : mask | (1 << i)),
    0,
  )
}

/** What is certain of a call in a scope. */
function callOf(name: string, scope: Scope): (ref: FieldRef) => Known {
  const values: Readonly<Record<string, Known>> = {
    'evt.type': name,
    'syscall.type': name,
    'evt.num': { least: 1, most: Number.MAX_SAFE_INTEGER },
    'evt.dir': '<',
    ...(scope === 'host' && { 'container.id': 'host' }),
  }
  return (ref) => (Object.hasOwn(values, ref.text) ? values[ref.text] : unknown)
}

/** What is certain of an open call of one class. */
function openOf(
  name: string,
  failed: boolean,
  access: number,
  scope: Scope,
): (ref: FieldRef) => Known {
  const isCreat = name === 'creat'
  const call = callOf(name, scope)
  const values: Readonly<Record<string, Known>> = {
    'evt.failed': failed,
    'evt.rawres': failed ? { least: -4095, most: -1 } : { least: 0, most: 0x7fffffff },
    'fd.num': failed ? -1 : { least: 0, most: 0x7fffffff },
    // The kernel's access mode 3 has no agreed meaning; creat has no flags of its own.
    'evt.is_open_read': isCreat ? false : access === 3 ? unknown : access !== 1,
    'evt.is_open_write': isCreat ? false : access === 3 ? unknown : access !== 0,
    'evt.res': failed ? { not: ['SUCCESS'] } : 'SUCCESS',
  }
  return (ref) => (Object.hasOwn(values, ref.text) ? values[ref.text] : call(ref))
}
