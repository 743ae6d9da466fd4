import { isDeepStrictEqual } from 'node:util'

export type Fields = Record<string, unknown>
/** Who has set each field last: field path, then managers. */
export type Owners = Map<string, Set<string>>

export type Applied =
  | { readonly conflicts: readonly string[] }
  | { readonly object: Fields; readonly owners: Owners }

/**
 * Server-side apply on one object: what the manager names is set, what it named before and names no more
 * goes, what others have set otherwise is a conflict. Lists count as a whole, as those of policies do.
 */
export function apply(
  current: Fields | undefined,
  owners: Owners,
  wanted: Fields,
  manager: string,
  force: boolean,
): Applied {
  const leaves = leavesOf(wanted)
  const held = current === undefined ? new Map<string, unknown>() : leavesOf(current)
  const next: Owners = new Map([...owners].map(([leaf, managers]) => [leaf, new Set(managers)]))
  const conflicts: string[] = []
  for (const [leaf, value] of leaves) {
    const managers = next.get(leaf) ?? new Set()
    const isSame = isDeepStrictEqual(held.get(leaf), value)
    const others = [...managers].filter((each) => each !== manager)
    if (!isSame && others.length > 0 && !force) conflicts.push(leaf)
    next.set(leaf, isSame ? new Set([...managers, manager]) : new Set([manager]))
  }
  if (conflicts.length > 0) return { conflicts }
  let object = merge(current ?? {}, wanted) as Fields
  for (const [leaf, managers] of next) {
    if (leaves.has(leaf) || !managers.delete(manager) || managers.size > 0) continue
    next.delete(leaf)
    object = without(object, leaf.split(separator))
  }
  return { object, owners: next }
}

/** Owners after somebody has changed fields without applying: whoever sets a field has it alone. */
export function updated(before: Fields, after: Fields, owners: Owners, manager: string): Owners {
  const held = leavesOf(before)
  const leaves = leavesOf(after)
  const next: Owners = new Map([...owners].filter(([leaf]) => leaves.has(leaf)))
  for (const [leaf, value] of leaves) {
    if (!isDeepStrictEqual(held.get(leaf), value)) next.set(leaf, new Set([manager]))
  }
  return next
}

/** A JSON merge patch: `null` takes away. */
export function merge(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch
  const result: Fields = { ...(isMap(target) ? target : {}) }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merge(result[key], value)
  }
  return result
}

const separator = '\u0000'

/** The name of a field as the API server writes it. */
export function fieldName(leaf: string): string {
  return `.${leaf.replaceAll(separator, '.')}`
}

function leavesOf(object: Fields): Map<string, unknown> {
  const found = new Map<string, unknown>()
  const walk = (value: unknown, path: string) => {
    if (isMap(value) && Object.keys(value).length > 0) {
      for (const [key, each] of Object.entries(value)) walk(each, `${path}${separator}${key}`)
    } else if (value !== undefined) found.set(path, value)
  }
  const { labels, annotations } = (object['metadata'] ?? {}) as Fields
  walk(labels, `metadata${separator}labels`)
  walk(annotations, `metadata${separator}annotations`)
  walk(object['spec'], 'spec')
  return found
}

function without(object: Fields, [key = '', ...rest]: readonly string[]): Fields {
  if (rest.length === 0) {
    const { [key]: _, ...stays } = object
    return stays
  }
  const inner = object[key]
  return isMap(inner) ? { ...object, [key]: without(inner, rest) } : object
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
