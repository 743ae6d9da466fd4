import { eventTypes } from './event-types.ts'
import type { FieldType } from './value.ts'

/**
 * Type of each event argument by its name. Where several events have one of that name, the first
 * event in the order of Falco's own table counts: it is the type that a constant is read with.
 */
export const parameterTypes: ReadonlyMap<string, FieldType> = (() => {
  const types = new Map<string, FieldType>()
  for (const { params } of eventTypes) {
    for (const { name, type } of params) if (!types.has(name)) types.set(name, type)
  }
  // In Falco's table ioctl comes before ptrace; here it does not.
  types.set('request', 'UINT64')
  return types
})()
