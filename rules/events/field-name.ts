import { eventTypes } from './event-types.ts'
import { fieldCatalogue } from './field-catalogue.ts'
import { nearestName } from './nearest.ts'
import type { FieldRef } from './value.ts'

/** Fields whose argument follows a dot: `evt.arg.flags`, `evt.type.is.open`. */
const dotted = ['evt.arg', 'evt.rawarg', 'evt.type.is', 'evt.abspath', 'thread.cgroup']

const parameterNames = new Set(eventTypes.flatMap((type) => type.params.map(({ name }) => name)))

export type FieldNameResult =
  | { readonly ref: FieldRef }
  | {
      readonly problem: string
      /** The right name that comes closest, when one does. */
      readonly nearest?: string
    }

/** Reads a field as written (`proc.aname[2]`, `evt.arg.flags`) and checks it against the catalogue. */
export function parseFieldName(text: string): FieldNameResult {
  const bracket = text.indexOf('[')
  if (bracket >= 0) {
    if (!text.endsWith(']')) return { problem: 'the argument lacks its closing bracket' }
    return check(text, text.slice(0, bracket), text.slice(bracket + 1, -1))
  }
  const prefix = dotted.find((name) => text.startsWith(`${name}.`))
  if (prefix !== undefined && !fieldCatalogue.has(text)) {
    return check(text, prefix, text.slice(prefix.length + 1))
  }
  return check(text, text, undefined)
}

function check(text: string, name: string, arg: string | undefined): FieldNameResult {
  const info = fieldCatalogue.get(name)
  if (info === undefined) {
    const nearest = nearestName(name, fieldCatalogue.keys())
    return { problem: 'no such field', ...(nearest !== undefined && { nearest }) }
  }
  if (arg === undefined) {
    return info.argument === 'required'
      ? { problem: 'the field needs an argument' }
      : { ref: { name, text } }
  }
  if (info.argument === 'none') return { problem: 'the field takes no argument', nearest: name }
  if (arg === '') return { problem: 'the argument is empty' }
  const isParameter = name === 'evt.rawarg' || (name === 'evt.arg' && !/^\d+$/.test(arg))
  if (isParameter && !parameterNames.has(arg)) {
    const nearest = nearestName(arg, parameterNames)
    return {
      problem: 'no event has such an argument',
      ...(nearest !== undefined && { nearest: `${name}.${nearest}` }),
    }
  }
  return { ref: { name, arg, text } }
}
