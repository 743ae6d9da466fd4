import { type Clock, systemClock } from '../clock.ts'
import { account, region } from '../kinesis-event.ts'
import { type JsonRequest, ServiceError, startJsonService } from './json-service.ts'
import type { Emulator } from './kinesis.ts'

/** A one-time schedule as it was given. */
export interface Schedule {
  readonly Name: string
  readonly GroupName: string
  /** `at(2026-11-26T12:00:00)`, in UTC. */
  readonly ScheduleExpression: string
  readonly State: 'ENABLED' | 'DISABLED'
  readonly ActionAfterCompletion: 'NONE' | 'DELETE'
  readonly Target: {
    readonly Arn: string
    readonly RoleArn: string
    readonly Input?: string
    readonly RetryPolicy?: { readonly MaximumRetryAttempts?: number }
    readonly DeadLetterConfig?: { readonly Arn: string }
  }
}

export interface SchedulesOptions {
  /** Takes what a schedule gives its target when its time has come; an error is a failed attempt. */
  readonly invoke: (target: string, input: unknown) => Promise<void>
  readonly clock?: Clock
  readonly announce?: (message: string) => void
}

export interface Schedules extends Emulator {
  /** All there are, in no order. */
  list(): readonly Schedule[]
  /** Does at once what is due at this time, in milliseconds of the epoch. */
  runUntil(time: number): Promise<void>
}

/**
 * Stands in for EventBridge Scheduler: one-time schedules (`at(…)`) of any group, made, read, changed,
 * listed and deleted. A target gets an event up to four times.
 *
 * Source: EventBridge Scheduler API Reference and User Guide, "Schedule types".
 */
export async function startSchedules(options: SchedulesOptions): Promise<Schedules> {
  const { clock = systemClock, announce = () => {}, invoke } = options
  const held = new Map<string, { readonly schedule: Schedule; readonly stop: AbortController }>()

  const fire = async (key: string) => {
    const entry = held.get(key)
    if (entry === undefined || entry.stop.signal.aborted) return
    entry.stop.abort()
    const { ActionAfterCompletion, Target } = entry.schedule
    const input = Target.Input === undefined ? {} : (JSON.parse(Target.Input) as unknown)
    for (let attempt = 0; attempt < 4; attempt += 1) {
      try {
        await invoke(Target.Arn, input)
        break
      } catch (error) {
        announce(`schedule ${key}, attempt ${attempt + 1} of 4: ${error}`)
      }
    }
    if (ActionAfterCompletion === 'DELETE' && held.get(key) === entry) held.delete(key)
  }
  const hold = (name: string, input: JsonRequest['input']) => {
    const schedule = scheduleOf(name, input)
    const key = `${schedule.GroupName}/${name}`
    held.get(key)?.stop.abort()
    const stop = new AbortController()
    held.set(key, { schedule, stop })
    if (schedule.State === 'ENABLED') {
      const wait = Math.max(0, timeOf(schedule) - clock.now())
      void clock.sleep(wait, stop.signal).then(() => {
        if (!stop.signal.aborted) return fire(key)
      })
    }
    return { ScheduleArn: `arn:aws:scheduler:${region}:${account}:schedule/${key}` }
  }
  const find = (key: string) => {
    const entry = held.get(key)
    if (entry !== undefined) return entry
    throw new ServiceError(404, 'ResourceNotFoundException', `Schedule ${key} does not exist.`)
  }

  const service = await startJsonService(({ method, url, input }) => {
    const name = decodeURIComponent(url.pathname.replace(/^\/schedules\/?/, ''))
    if (name === '' && method === 'GET') {
      const [group, prefix = ''] = ['ScheduleGroup', 'NamePrefix'].map(
        (key) => url.searchParams.get(key) ?? undefined,
      )
      const Schedules = [...held.values()]
        .map(({ schedule }) => schedule)
        .filter(
          ({ GroupName, Name }) => (group ?? GroupName) === GroupName && Name.startsWith(prefix),
        )
      return { Schedules }
    }
    const groupName = String(input['GroupName'] ?? url.searchParams.get('groupName') ?? 'default')
    const key = `${groupName}/${name}`
    switch (method) {
      case 'POST':
        if (!held.has(key)) return hold(name, input)
        throw new ServiceError(409, 'ConflictException', `Schedule ${name} already exists.`)
      case 'PUT':
        find(key)
        return hold(name, input)
      case 'GET':
        return find(key).schedule
      case 'DELETE':
        find(key).stop.abort()
        held.delete(key)
        return {}
      default:
        throw new ServiceError(400, 'ValidationException', `${method} is not served here`)
    }
  })
  return {
    endpoint: service.endpoint,
    list: () => [...held.values()].map(({ schedule }) => schedule),
    async runUntil(time) {
      const due = [...held].filter(([, { schedule, stop }]) => {
        return schedule.State === 'ENABLED' && !stop.signal.aborted && timeOf(schedule) <= time
      })
      due.sort(([, a], [, b]) => timeOf(a.schedule) - timeOf(b.schedule))
      for (const [key] of due) await fire(key)
    },
    async stop() {
      for (const { stop } of held.values()) stop.abort()
      await service.stop()
    },
  }
}

function scheduleOf(name: string, input: JsonRequest['input']): Schedule {
  const schedule = {
    ...{ GroupName: 'default', State: 'ENABLED', ActionAfterCompletion: 'NONE' },
    ...input,
    Name: name,
  } as Schedule
  const { Target, ScheduleExpression } = schedule
  const mistakes = [
    /^[\w.-]{1,64}$/.test(name) ? '' : `the name "${name}" is not 1 to 64 of [0-9a-zA-Z-_.]`,
    Target?.Arn && Target.RoleArn ? '' : 'Target needs Arn and RoleArn',
    input['FlexibleTimeWindow'] === undefined ? 'FlexibleTimeWindow is missing' : '',
    Number.isNaN(timeOf(schedule)) ? `${ScheduleExpression} is not at(yyyy-mm-ddThh:mm:ss)` : '',
  ].filter((mistake) => mistake !== '')
  if (mistakes.length === 0) return schedule
  throw new ServiceError(400, 'ValidationException', mistakes.join('; '))
}

function timeOf({ ScheduleExpression }: Schedule): number {
  const found = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/.exec(ScheduleExpression)
  return found === null ? Number.NaN : Date.parse(`${found[1]}Z`)
}
