export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export type Weekday = (typeof weekdays)[number]

/** Hours of some days in a time zone. */
export interface Schedule {
  /** IANA name, such as Europe/Berlin. */
  readonly zone: string
  /** Days on which the hours begin. */
  readonly days: readonly Weekday[]
  /** Minutes of the day by the wall clock: from, inclusive, to, exclusive. `to` below `from` ends on the next day. */
  readonly from: number
  readonly to: number
  /** Holds outside of these hours instead. */
  readonly outside: boolean
}

/** Whether a time (milliseconds of the epoch) lies in the schedule. */
export function isWithin(schedule: Schedule, time: number): boolean {
  return isInHours(schedule, wallClock(schedule.zone, time)) !== schedule.outside
}

function isInHours({ days, from, to }: Schedule, now: { day: number; minute: number }): boolean {
  const isDay = (day: number) => days.includes(weekdays[(day + 7) % 7]!)
  if (from < to) return isDay(now.day) && now.minute >= from && now.minute < to
  return (isDay(now.day) && now.minute >= from) || (isDay(now.day - 1) && now.minute < to)
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** Day of the week (0 is Monday) and minute of the day on the wall clocks of a zone. */
function wallClock(zone: string, time: number): { day: number; minute: number } {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
    formats.set(zone, format)
  }
  const parts = Object.fromEntries(
    format.formatToParts(new Date(time)).map(({ type, value }) => [type, value]),
  )
  const day = dayNumber(parts['weekday']!.toLowerCase())
  return { day, minute: Number(parts['hour']) * 60 + Number(parts['minute']) }
}

/** 0 for Monday; -1 for what is no day. */
function dayNumber(name: string | undefined): number {
  return (weekdays as readonly (string | undefined)[]).indexOf(name)
}

/** Whether there is such a time zone. */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** Minutes of `HH:MM`, up to 24:00. */
export function parseClock(text: string): number | undefined {
  const match = /^(\d{1,2}):(\d{2})$/.exec(text)
  if (match === null) return undefined
  const minutes = Number(match[1]) * 60 + Number(match[2])
  return Number(match[2]) < 60 && minutes <= 1440 ? minutes : undefined
}

/** Days of a text like `mon-fri` or `sat`. */
export function parseDays(text: string): readonly Weekday[] | undefined {
  const [first, last = first, ...more] = text.toLowerCase().split('-')
  const from = dayNumber(first)
  const to = dayNumber(last)
  if (from < 0 || to < 0 || more.length > 0) return undefined
  const length = ((to - from + 7) % 7) + 1
  return Array.from({ length }, (_, at) => weekdays[(from + at) % 7]!)
}
