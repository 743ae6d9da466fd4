import { toInteger } from './integer.ts'
import type { Value } from './value.ts'

const second = 1_000_000_000n

function pad(value: number | bigint, digits: number): string {
  return String(value).padStart(digits, '0')
}

/** Whole seconds and the nanoseconds after them; both are right before the epoch, too. */
function split(time: bigint): { date: Date; nanoseconds: bigint } {
  const nanoseconds = ((time % second) + second) % second
  return { date: new Date(Number((time - nanoseconds) / 1_000_000n)), nanoseconds }
}

function clock(date: Date): string {
  return `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}`
}

function day(date: Date): string {
  return `${date.getFullYear()}-${pad(date.getMonth() + 1, 2)}-${pad(date.getDate(), 2)}`
}

/**
 * The fields that only show the time of an event, from nanoseconds since the epoch. Times of day are
 * in the zone of the process, as in Falco.
 */
export const timeFields: ReadonlyMap<string, (time: bigint) => Value> = new Map<
  string,
  (time: bigint) => Value
>([
  ['evt.time', localTime],
  ['evt.outputtime', localTime],
  ['evt.time.s', (time) => clock(split(time).date)],
  ['evt.time.iso8601', isoTime],
  [
    'evt.datetime',
    (time) => {
      const { date, nanoseconds } = split(time)
      return `${day(date)} ${clock(date)}.${pad(nanoseconds, 9)}`
    },
  ],
  [
    'evt.datetime.s',
    (time) => {
      const { date } = split(time)
      return `${day(date)} ${clock(date)}`
    },
  ],
  ['evt.rawtime', toInteger],
  ['evt.rawtime.s', (time) => toInteger(time / second)],
  ['evt.rawtime.ns', (time) => toInteger(time % second)],
])

function localTime(time: bigint): string {
  const { date, nanoseconds } = split(time)
  return `${clock(date)}.${pad(nanoseconds, 9)}`
}

function isoTime(time: bigint): string {
  const { date, nanoseconds } = split(time)
  return `${date.toISOString().slice(0, 19)}.${pad(nanoseconds, 9)}+0000`
}

/** Nanoseconds since the epoch of an ISO 8601 text with date, time and up to nine decimals. */
export function parseIsoTime(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|z|[+-]\d\d:?\d\d)$/.exec(
    text,
  )
  if (match === null) return undefined
  const [, date, time, fraction = '', zone] = match
  const offset = /^[zZ]$/.test(zone!) ? 'Z' : zone!.replace(/^(...):?/, '$1:')
  const milliseconds = Date.parse(`${date}T${time}${offset}`)
  if (Number.isNaN(milliseconds)) return undefined
  return BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}
