import { constantFields } from './constant-fields.ts'
import { eventTypeId, eventTypes } from './event-types.ts'
import { fieldCatalogue } from './field-catalogue.ts'
import { ancestorFields, checkFieldValue } from './field-map-value.ts'
import { parseFieldName } from './field-name.ts'
import { nearestName } from './nearest.ts'
import { timeFields } from './time-text.ts'
import type { EventSource, Extractor, FieldRef, Scalar, Value } from './value.ts'

/**
 * The test form of an event: Falco's field names (with their argument, as a rule writes them) and
 * their values. What is absent has no value, except for what {@link fieldMapSource} derives.
 */
export type FieldMap = Readonly<Record<string, unknown>>

export interface FieldMapError {
  /** The key at fault, "" when the whole is. */
  readonly field: string
  /** One sentence, with the nearest right name where there is one. */
  readonly message: string
}

export type FieldMapResult =
  | { readonly map: FieldMap }
  | { readonly errors: readonly FieldMapError[] }

/**
 * Checks a parsed JSON object against the field catalogue. Values come out in the one form rules
 * see: integers from a number or a decimal text, IP addresses canonical, `evt.time` in nanoseconds;
 * null means absent. All mistakes are reported at once.
 */
export function parseFieldMap(json: unknown): FieldMapResult {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return { errors: [{ field: '', message: 'an event is an object of field names and values' }] }
  }
  const errors: FieldMapError[] = []
  const map: Record<string, unknown> = Object.create(null)
  for (const [field, given] of Object.entries(json)) {
    const name = parseFieldName(field)
    if ('problem' in name) {
      const hint = name.nearest === undefined ? '' : `; did you mean ${name.nearest}?`
      errors.push({ field, message: `${field}: ${name.problem}${hint}` })
      continue
    }
    if (given === null) continue
    const checked = checkFieldValue(name.ref, fieldCatalogue.get(name.ref.name)!, given)
    if ('problem' in checked) errors.push({ field, message: `${field}: ${checked.problem}` })
    else map[field] = checked.value
  }
  const type = map['evt.type']
  if (typeof type === 'string' && eventTypeId(type) < 0) {
    const nearest = nearestName(
      type,
      eventTypes.map(({ name }) => name),
    )
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    errors.push({ field: 'evt.type', message: `evt.type: no event is called "${type}"${hint}` })
  }
  return errors.length > 0 ? { errors } : { map }
}

function timeOf(map: FieldMap): bigint {
  const time = map['evt.time']
  return typeof time === 'number' || typeof time === 'bigint' ? BigInt(time) : 0n
}

/** What an ancestor field says of the process itself (index 0). */
const own: Readonly<Record<string, string>> = {
  'proc.aname': 'proc.name',
  'proc.aexe': 'proc.exe',
  'proc.aexepath': 'proc.exepath',
  'proc.acmdline': 'proc.cmdline',
  'proc.aargs': 'proc.args',
  'proc.aenv': 'proc.env',
  'proc.apid': 'proc.pid',
}

/** Fields of the parent, and the ancestor field whose first item they fall back to. */
const ofParent: Readonly<Record<string, string>> = {
  'proc.pname': 'proc.aname',
  'proc.pexe': 'proc.aexe',
  'proc.pexepath': 'proc.aexepath',
  'proc.pcmdline': 'proc.acmdline',
  'proc.ppid': 'proc.apid',
}

/** Fields over both endpoints or of one side, and the fields their value is taken from, in turn. */
const endpoints: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'fd.ip': [
    ['fd.cip', 'fd.sip'],
    ['fd.lip', 'fd.rip'],
  ],
  'fd.net': [['fd.ip'], ['fd.cip', 'fd.sip'], ['fd.lip', 'fd.rip']],
  'fd.port': [
    ['fd.cport', 'fd.sport'],
    ['fd.lport', 'fd.rport'],
  ],
  'fd.proto': [['fd.port'], ['fd.cport', 'fd.sport'], ['fd.lport', 'fd.rport']],
  'fd.cnet': [['fd.cip']],
  'fd.snet': [['fd.sip']],
  'fd.lnet': [['fd.lip']],
  'fd.rnet': [['fd.rip']],
}

/** How a field gets its value when the map does not give it; `undefined` when it has none then. */
function derivation({ name, arg }: FieldRef): Extractor<FieldMap> | undefined {
  if (arg !== undefined) {
    if (name === 'evt.type.is') return (map) => typeIs(map, arg)
    return ancestorFields.has(name) && /^\d+$/.test(arg) ? ancestor(name, Number(arg)) : undefined
  }
  const time = timeFields.get(name)
  if (time !== undefined) return (map) => time(timeOf(map))
  const constant = constantFields.get(name)
  if (constant !== undefined) return () => constant
  const parent = ofParent[name]
  if (parent !== undefined) return ancestor(parent, 1)
  const sides = endpoints[name]
  if (sides !== undefined) return (map) => fromSides(map, sides)
  switch (name) {
    case 'evt.num':
      return () => 1
    case 'syscall.type':
      return (map) => map['evt.type'] as Value
    case 'fd.directory':
      return (map) => splitPath(map['fd.name'])?.directory
    case 'fd.filename':
      return (map) => splitPath(map['fd.name'])?.filename
    default:
      return undefined
  }
}

function typeIs(map: FieldMap, arg: string): Value {
  const type = map['evt.type']
  if (typeof type !== 'string') return undefined
  return type === arg || String(eventTypeId(type)) === arg ? 1 : 0
}

function ancestor(name: string, level: number): Extractor<FieldMap> {
  if (level === 0) {
    const self = own[name]!
    return (map) => map[self] as Value
  }
  return (map) => {
    const items = map[name]
    return Array.isArray(items) ? (items[level - 1] as Value) : undefined
  }
}

function fromSides(map: FieldMap, sides: readonly (readonly string[])[]): Value {
  for (const fields of sides) {
    const values = fields.flatMap((field) => (map[field] ?? []) as Scalar | Scalar[])
    if (values.length > 0) return values.length === 1 ? values[0] : values
  }
  return undefined
}

function splitPath(path: unknown): { directory: string; filename: string } | undefined {
  if (typeof path !== 'string' || !path.startsWith('/')) return undefined
  const slash = path.lastIndexOf('/')
  return { directory: slash === 0 ? '/' : path.slice(0, slash), filename: path.slice(slash + 1) }
}

function bind(ref: FieldRef): Extractor<FieldMap> | undefined {
  const info = fieldCatalogue.get(ref.name)
  if (info === undefined) return undefined
  const { text } = ref
  const derived = derivation(ref)
  // A time is kept in nanoseconds; only `timeFields` gives it the form of the field.
  if (text === 'evt.time') return derived
  if (ref.name === 'proc.aargs' && ref.arg === undefined) {
    return (map) => (map[text] === undefined ? undefined : (map[text] as string[]).join(' '))
  }
  if (derived === undefined) return (map) => map[text] as Value
  return (map) => (map[text] ?? derived(map)) as Value
}

/**
 * Reads field maps. A field has the value the map gives it. Derived when it is absent:
 * - `evt.num` is 1, `evt.source`, `evt.dir` and the like have their constant value, the fields of
 *   time come from `evt.time` (0 when absent), `syscall.type` and `evt.type.is` from `evt.type`;
 * - `proc.aname[N]` and the other ancestor fields with an index are items of the array, index 0 is
 *   the process itself; `proc.pname` and the like are the first item;
 * - `fd.ip`, `fd.net`, `fd.port`, `fd.proto` are the known endpoints, `fd.snet` and the like the
 *   address of their side, `fd.directory` and `fd.filename` the parts of a path in `fd.name`.
 */
export const fieldMapSource: EventSource<FieldMap> = {
  bind,
  type(map) {
    const type = map['evt.type']
    return typeof type === 'string' ? eventTypeId(type) : -1
  },
  time: timeOf,
}
