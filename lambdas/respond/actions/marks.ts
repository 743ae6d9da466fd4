/** Says of an object or a change which response made it, and for what. */
export const marks = {
  response: 'lanner.dev/response',
  incident: 'lanner.dev/incident',
} as const

/** Each response that holds a node has an annotation on it: the last one that lets go opens it. */
export const cordonPrefix = 'cordon.lanner.dev/'

/** Who writes, in the managed fields of what is written. */
export const fieldManager = 'lanner-respond'

/** What a response's policies are called, by its short id. */
export function quarantineName(short: string): string {
  return `lanner-quarantine-${short}`
}

/** Part of a response's id that fits into names and labels. */
export function shortId(response: string): string {
  return response.slice(0, 12)
}
