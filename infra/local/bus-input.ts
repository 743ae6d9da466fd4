import { randomUUID } from 'node:crypto'
import {
  compilePattern,
  type EventMatcher,
  InvalidPattern,
  type JsonValue,
} from './event-pattern.ts'
import { account, region } from './kinesis-event.ts'

/** An event as targets get it. */
export interface BusEvent {
  readonly version: '0'
  readonly id: string
  readonly 'detail-type': string
  readonly source: string
  readonly account: string
  readonly time: string
  readonly region: string
  readonly resources: readonly string[]
  readonly detail: JsonValue
}

/** Bytes that PutEvents takes of an entry. */
const maxEntryBytes = 1 << 20

export interface RuleInput {
  readonly Name: string
  readonly EventBusName?: string
  readonly EventPattern?: string
  readonly State?: string
}
export interface TargetsInput {
  readonly Rule: string
  readonly EventBusName?: string
  readonly Targets: readonly TargetInput[]
}
export interface TargetInput {
  readonly Id: string
  readonly Arn: string
  readonly RetryPolicy?: {
    readonly MaximumRetryAttempts?: number
    readonly MaximumEventAgeInSeconds?: number
  }
  readonly DeadLetterConfig?: { readonly Arn: string }
}
export interface RemoveInput {
  readonly Rule: string
  readonly EventBusName?: string
  readonly Ids: readonly string[]
}
export interface Entry {
  readonly EventBusName?: string
  readonly Source?: string
  readonly DetailType?: string
  readonly Detail?: string
  readonly Resources?: readonly string[]
  /** Seconds of the epoch. */
  readonly Time?: number
}

export class Refusal extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** A pattern to test events with; one that is not valid is refused as the service does. */
export function compile(pattern: string): EventMatcher {
  try {
    return compilePattern(pattern)
  } catch (error) {
    if (!(error instanceof InvalidPattern)) throw error
    throw new Refusal(
      'InvalidEventPatternException',
      `Event pattern is not valid. ${error.message}`,
    )
  }
}

/** The code with which the service answers for such an entry, if it does not take it. */
export function refusalOf(entry: Entry): string | undefined {
  const { Source, DetailType, Detail, Resources = [], Time } = entry
  if (!Source || !DetailType || !Detail) return 'InvalidArgument'
  if (Source.startsWith('aws.')) return 'NotAuthorizedForSourceException'
  const texts = [Source, DetailType, Detail, ...Resources]
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  // As the service counts: 14 bytes for a time.
  if (bytes + (Time === undefined ? 0 : 14) > maxEntryBytes) return 'InvalidArgument'
  try {
    const detail = JSON.parse(Detail) as JsonValue
    return typeof detail === 'object' && detail !== null && !Array.isArray(detail)
      ? undefined
      : 'MalformedDetail'
  } catch {
    return 'MalformedDetail'
  }
}

export function makeEvent(parts: {
  readonly Source?: string
  readonly DetailType?: string
  readonly Resources?: readonly string[]
  /** Milliseconds of the epoch. */
  readonly time: number
  readonly detail: JsonValue
}): BusEvent {
  const { Source: source = '', DetailType = '', Resources: resources = [], time, detail } = parts
  return {
    ...{ version: '0', id: randomUUID(), 'detail-type': DetailType, source, account },
    time: new Date(time).toISOString().replace(/\.\d+Z$/, 'Z'),
    ...{ region, resources, detail },
  }
}

/** A bus may be called by its name or its ARN. */
export function busOf(name = 'default'): string {
  return name.slice(name.lastIndexOf('/') + 1)
}

export function ruleArn(name: string, bus: string): string {
  const path = bus === 'default' ? name : `${bus}/${name}`
  return `arn:aws:events:${region}:${account}:rule/${path}`
}
