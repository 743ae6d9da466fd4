import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
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

/** What a target of PutTargets leads to, by its ARN. */
export type BusTarget = (event: BusEvent) => Promise<void> | void

export interface EventBusFaults {
  /** Refuses an entry of PutEvents: it gets this code, the others are taken. */
  entry: ((detailType: string, detail: string) => string | undefined) | undefined
}

export interface EventBusCounts {
  requests: number
  /** Entries taken, and refused. */
  taken: number
  refused: number
  /** Events handed to a target, and those that it did not take in three attempts. */
  delivered: number
  undelivered: number
}

export interface EventBusOptions {
  /** Targets by ARN; a rule may only name these. */
  readonly targets?: ReadonlyMap<string, BusTarget>
  readonly port?: number
  readonly now?: () => number
  readonly announce?: (message: string) => void
}

/** What PutEvents takes: entries in a call, and bytes of an entry. */
const maxEntries = 10
const maxEntryBytes = 1 << 20
const maxRules = 300
const maxPatternLength = 2048

/**
 * Stands in for EventBridge on this machine: PutEvents, rules with patterns, targets in this process.
 * Every name of a bus is the same bus. Targets get an event up to three times, in no order; Lambda
 * and EventBridge promise at least once too.
 *
 * Sources: Amazon EventBridge API Reference (PutEvents, PutRule, PutTargets, RemoveTargets,
 * DescribeRule), User Guide "Calculating PutEvents event entry size" and "quotas".
 */
export class EventBus {
  readonly faults: EventBusFaults = { entry: undefined }
  readonly counts: EventBusCounts = {
    ...{ requests: 0, taken: 0, refused: 0 },
    ...{ delivered: 0, undelivered: 0 },
  }
  readonly #options: EventBusOptions
  readonly #rules = new Map<string, Rule>()
  readonly #server: Server
  readonly #underWay = new Set<Promise<void>>()

  private constructor(options: EventBusOptions) {
    this.#options = options
    this.#server = createServer(async (request, response) => {
      const answer = await this.#answer(request)
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' })
      response.end(JSON.stringify(answer.body))
    })
  }

  /** Listens on this machine alone. */
  static async start(options: EventBusOptions = {}): Promise<EventBus> {
    const bus = new EventBus(options)
    bus.#server.listen(options.port ?? 0, '127.0.0.1')
    await once(bus.#server, 'listening')
    return bus
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Waits until the targets have what was put. */
  async settle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
    await this.settle()
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
    try {
      this.counts.requests += 1
      const pieces: Buffer[] = []
      for await (const piece of request) pieces.push(piece as Buffer)
      const [, operation = ''] = String(request.headers['x-amz-target']).split('.')
      const input = JSON.parse(Buffer.concat(pieces).toString('utf8')) as never
      const serve = Object.hasOwn(this.#operations, operation) && this.#operations[operation]
      if (!serve) throw new Refusal('UnknownOperationException', `${operation} is not served here`)
      return { status: 200, body: serve(input) }
    } catch (error) {
      const { code = 'InternalException', message } = error as Partial<Refusal> & Error
      const isOurs = error instanceof Refusal
      return {
        status: isOurs ? 400 : 500,
        body: { __type: isOurs ? code : 'InternalException', message },
      }
    }
  }

  readonly #operations: Readonly<Record<string, (input: never) => object>> = {
    PutEvents: ({ Entries = [] }: { Entries?: readonly Entry[] }) => {
      if (Entries.length === 0 || Entries.length > maxEntries) {
        throw new Refusal('ValidationException', `PutEvents takes 1 to ${maxEntries} entries`)
      }
      const answers = Entries.map((entry) => this.#put(entry))
      return {
        FailedEntryCount: answers.filter((answer) => 'ErrorCode' in answer).length,
        Entries: answers,
      }
    },
    PutRule: ({ Name, EventPattern = '', State = 'ENABLED' }: RuleInput) => {
      if (EventPattern.length > maxPatternLength) {
        throw new Refusal(
          'LimitExceededException',
          `a pattern has at most ${maxPatternLength} characters`,
        )
      }
      if (!this.#rules.has(Name) && this.#rules.size >= maxRules) {
        throw new Refusal('LimitExceededException', `a bus has at most ${maxRules} rules`)
      }
      const targets = this.#rules.get(Name)?.targets ?? new Map()
      this.#rules.set(Name, { pattern: EventPattern, test: compile(EventPattern), State, targets })
      return { RuleArn: ruleArn(Name) }
    },
    DescribeRule: ({ Name }: RuleInput) => {
      const { pattern, State } = this.#rule(Name)
      return { Name, Arn: ruleArn(Name), EventPattern: pattern, State, EventBusName: 'default' }
    },
    PutTargets: ({ Rule, Targets }: { Rule: string; Targets: readonly TargetInput[] }) => {
      const { targets } = this.#rule(Rule)
      const failed = Targets.filter(({ Id, Arn }) => {
        if (!this.#options.targets?.has(Arn)) return true
        targets.set(Id, Arn)
        return false
      }).map(({ Id, Arn }) => ({
        TargetId: Id,
        ErrorCode: 'ResourceNotFoundException',
        ErrorMessage: `${Arn} is no target here`,
      }))
      return { FailedEntryCount: failed.length, FailedEntries: failed }
    },
    RemoveTargets: ({ Rule, Ids }: { Rule: string; Ids: readonly string[] }) => {
      const { targets } = this.#rule(Rule)
      for (const id of Ids) targets.delete(id)
      return { FailedEntryCount: 0, FailedEntries: [] }
    },
  }

  #rule(name: string): Rule {
    const rule = this.#rules.get(name)
    if (rule !== undefined) return rule
    throw new Refusal(
      'ResourceNotFoundException',
      `Rule ${name} does not exist on EventBus default.`,
    )
  }

  #put(entry: Entry): object {
    const { Source = '', DetailType = '', Detail = '' } = entry
    const refusal = refusalOf(entry) ?? this.faults.entry?.(DetailType, Detail)
    if (refusal !== undefined) {
      this.counts.refused += 1
      return { ErrorCode: refusal, ErrorMessage: `the entry is refused: ${refusal}` }
    }
    this.counts.taken += 1
    const time = entry.Time === undefined ? (this.#options.now ?? Date.now)() : entry.Time * 1000
    const event: BusEvent = {
      ...{ version: '0', id: randomUUID(), 'detail-type': DetailType, source: Source, account },
      time: new Date(time).toISOString().replace(/\.\d+Z$/, 'Z'),
      ...{ region, resources: entry.Resources ?? [], detail: JSON.parse(Detail) as JsonValue },
    }
    for (const { State, test, targets } of this.#rules.values()) {
      if (State !== 'ENABLED' || !test(event as unknown as JsonValue)) continue
      for (const arn of targets.values()) {
        const work = this.#deliver(arn, event).finally(() => this.#underWay.delete(work))
        this.#underWay.add(work)
      }
    }
    return { EventId: event.id }
  }

  async #deliver(arn: string, event: BusEvent): Promise<void> {
    const { targets, announce = () => {} } = this.#options
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      try {
        // After the answer of PutEvents, and each target a copy of its own.
        await new Promise((resolve) => setImmediate(resolve))
        await targets!.get(arn)!(structuredClone(event))
        this.counts.delivered += 1
        return
      } catch (error) {
        announce(`${arn} did not take event ${event.id}, attempt ${attempt} of 3: ${error}`)
      }
    }
    this.counts.undelivered += 1
  }
}

interface Rule {
  readonly pattern: string
  readonly test: EventMatcher
  readonly State: string
  /** ARNs by the id of the target. */
  readonly targets: Map<string, string>
}
interface RuleInput {
  readonly Name: string
  readonly EventPattern?: string
  readonly State?: string
}
interface TargetInput {
  readonly Id: string
  readonly Arn: string
}
interface Entry {
  readonly Source?: string
  readonly DetailType?: string
  readonly Detail?: string
  readonly Resources?: readonly string[]
  /** Seconds of the epoch. */
  readonly Time?: number
}

class Refusal extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

function compile(pattern: string): EventMatcher {
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
function refusalOf(entry: Entry): string | undefined {
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

function ruleArn(name: string): string {
  return `arn:aws:events:${region}:${account}:rule/${name}`
}
