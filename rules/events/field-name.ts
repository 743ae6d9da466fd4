import { eventTypes } from './event-types.ts'
import { fieldCatalogue } from './field-catalogue.ts'
import { nearestName } from './nearest.ts'
import type { FieldRef } from './value.ts'

/** Fields whose argument follows a dot: `evt.arg.flags`, `evt.type.is.open`. */
const dotted = ['evt.arg', 'evt.rawarg', 'evt.type.is', 'evt.abspath', 'thread.cgroup']

/** Those that take no brackets. `evt.arg` takes both: a name after a dot, a number in brackets. */
const dottedOnly = new Set(['evt.rawarg', 'evt.type.is', 'evt.abspath', 'thread.cgroup'])

/** Fields whose argument is a level or an index. */
const numbered = new Set([
  'proc.aname',
  'proc.aexe',
  'proc.aexepath',
  'proc.acmdline',
  'proc.aargs',
  'proc.apid',
  'proc.args',
  'fd.types',
  'evt.around',
])

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
    const name = text.slice(0, bracket)
    if (dottedOnly.has(name)) {
      return { problem: `the argument follows a dot, as in ${name}.NAME`, nearest: name }
    }
    return check(text, name, text.slice(bracket + 1, -1))
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
  if (numbered.has(name) && !/^\d{1,10}$/.test(arg)) {
    return { problem: 'the argument is a number' }
  }
  if (name === 'evt.abspath' && arg !== 'src' && arg !== 'dst') {
    return { problem: 'no such field', nearest: 'evt.abspath.src' }
  }
  if (name === 'evt.arg' && text.includes('[') && !/^\d{1,10}$/.test(arg)) {
    return { problem: 'the argument in brackets is a number', nearest: `evt.arg.${arg}` }
  }
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
