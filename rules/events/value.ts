/**
 * What a field of an event can be, as rules see it.
 *
 * - text is a JS string decoded from UTF-8; a byte that is not valid UTF-8 becomes the lone low
 *   surrogate U+DC80..U+DCFF that carries it (see {@link decodeBytes}), so that no two different
 *   byte strings look the same to a rule and nothing is lost on the way;
 * - integers are a `number` while they are safe, a `bigint` beyond: one value has one form, so that
 *   `===` decides equality;
 * - IP addresses are their canonical text, bytes are a `Uint8Array` (or text, in a field map);
 * - `undefined` means unavailable: every comparison on it is false.
 */
export type Scalar = string | number | bigint | boolean | Uint8Array
export type Value = Scalar | readonly Scalar[] | undefined

/** Value types of fields and event arguments, in Falco's names. */
export type FieldType =
  | 'CHARBUF'
  | 'FSPATH'
  | 'FSRELPATH'
  | 'BYTEBUF'
  | 'BOOL'
  | 'INT8'
  | 'INT16'
  | 'INT32'
  | 'INT64'
  | 'UINT8'
  | 'UINT16'
  | 'UINT32'
  | 'UINT64'
  | 'DOUBLE'
  | 'FD'
  | 'PID'
  | 'UID'
  | 'GID'
  | 'ERRNO'
  | 'PORT'
  | 'MODE'
  | 'FLAGS8'
  | 'FLAGS16'
  | 'FLAGS32'
  | 'ENUMFLAGS8'
  | 'ENUMFLAGS16'
  | 'ENUMFLAGS32'
  | 'SIGTYPE'
  | 'SYSCALLID'
  | 'RELTIME'
  | 'ABSTIME'
  | 'IPADDR'
  | 'IPNET'
  | 'SOCKADDR'
  | 'SOCKTUPLE'
  | 'FDLIST'
  | 'SIGSET'
  | 'DYN'

/**
 * A field as a condition or an output names it: `proc.name`, `proc.aname[2]`, `evt.arg.flags`.
 * `arg` is the text between brackets, or what follows the dot of `evt.arg.`, `evt.rawarg.` and the
 * like; `text` is the reference as written, and the key under which JSON output shows it.
 */
export interface FieldRef {
  readonly name: string
  readonly arg?: string
  readonly text: string
}

/** Reads one field of an event; `undefined` when the event does not have it. Pure, no side effect. */
export type Extractor<E> = (event: E) => Value

/**
 * Where the engine gets fields from. `bind` is called once per distinct field at compile time and
 * returns `undefined` for a field this source can never fill; the extractor is called in the hot
 * path, at most once per event and field.
 */
export interface EventSource<E> {
  bind(ref: FieldRef): Extractor<E> | undefined
  /** Index into `eventTypes`, or -1 for an event without a (known) type. */
  type(event: E): number
  /** Nanoseconds since the epoch. */
  time(event: E): bigint
}
