import type { LabelSelector } from './objects.ts'

export type Labels = Readonly<Record<string, string>>

/** Whether a selector takes these labels; the empty one takes all, no selector none. */
export function selects(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false
  const own = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined)
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (own(key) !== value) return false
  }
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = own(key)
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value)
      case 'NotIn':
        return value === undefined || !values.includes(value)
      case 'Exists':
        return value !== undefined
      case 'DoesNotExist':
        return value === undefined
      default:
        // one that a later Kubernetes has: it may take them
        return true
    }
  })
}

/** A service's selector: an empty one takes nothing. */
export function serviceSelects(selector: Labels | undefined, labels: Labels): boolean {
  const entries = Object.entries(selector ?? {})
  return entries.length > 0 && selects({ matchLabels: selector! }, labels)
}

/** Keys without which a selector does not take labels any more that it takes now. */
export function keysOf(selector: LabelSelector | undefined): string[] {
  return [
    ...Object.keys(selector?.matchLabels ?? {}),
    ...(selector?.matchExpressions ?? []).flatMap(({ key, operator }) =>
      operator === 'In' || operator === 'Exists' ? [key] : [],
    ),
  ]
}

/** Labels after a change; `null` takes a key away. */
export function changed(labels: Labels, change: Readonly<Record<string, string | null>>): Labels {
  const after = new Map<string, string>(Object.entries(labels))
  for (const [key, value] of Object.entries(change)) {
    if (value === null) after.delete(key)
    else after.set(key, value)
  }
  return Object.fromEntries(after)
}
