import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type BusEvent,
  busOf,
  compile,
  type Entry,
  makeEvent,
  Refusal,
  type RemoveInput,
  type RuleInput,
  refusalOf,
  ruleArn,
  type TargetInput,
  type TargetsInput,
} from './bus-input.ts'
import { type Clock, systemClock } from './clock.ts'
import type { EventMatcher, JsonValue } from './event-pattern.ts'

export type { BusEvent } from './bus-input.ts'

/**
 * What a target of PutTargets leads to, by its ARN. As a dead-letter queue it gets attributes that say
 * why.
 */
export type BusTarget = (
  event: BusEvent,
  attributes?: Readonly<Record<string, string>>,
) => Promise<void> | void

export interface EventBusFaults {
  /** Refuses an entry of PutEvents: it gets this code, the others are taken. */
  entry: ((detailType: string, detail: string) => string | undefined) | undefined
}

export interface EventBusCounts {
  requests: number
  /** Entries taken, and refused. */
  taken: number
  refused: number
  /** Events handed to a target, and those that it did not take. */
  delivered: number
  undelivered: number
  /** Of these, the ones that are in a dead-letter queue. */
  dead: number
}

export interface EventBusOptions {
  /** Targets by ARN; a rule may only name these. */
  readonly targets?: ReadonlyMap<string, BusTarget>
  readonly port?: number
  /** Of events, and of the pauses between attempts. */
  readonly clock?: Clock
  /** The pause after the first failure of a target, doubled for each further one: 10 ms to 10 s. */
  readonly backOff?: { readonly firstMs: number; readonly maxMs: number }
  readonly announce?: (message: string) => void
}

/** Entries that PutEvents takes in a call. */
const maxEntries = 10
const maxRules = 300
const maxPatternLength = 2048

/** Without a policy a target gets an event up to three times; EventBridge tries for a day. */
const defaultRetries = 2

/**
 * Stands in for EventBridge on this machine: PutEvents, rules with patterns, targets in this process
 * with a retry policy and a dead-letter queue. A bus is there as soon as it is named. Events come in no
 * order and at least once.
 *
 * Sources: Amazon EventBridge API Reference (PutEvents, PutRule, PutTargets, RemoveTargets,
 * DescribeRule, RetryPolicy), User Guide "Calculating PutEvents event entry size", "quotas" and
 * "Using dead-letter queues to process undelivered events".
 */
export class EventBus {
  readonly faults: EventBusFaults = { entry: undefined }
  readonly counts: EventBusCounts = {
    ...{ requests: 0, taken: 0, refused: 0 },
    ...{ delivered: 0, undelivered: 0, dead: 0 },
  }
  readonly #options: EventBusOptions
  readonly #clock: Clock
  /** By bus, a line feed and their name. */
  readonly #rules = new Map<string, Rule>()
  readonly #stop = new AbortController()
  readonly #server: Server
  readonly #underWay = new Set<Promise<void>>()

  private constructor(options: EventBusOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
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

  get isIdle(): boolean {
    return this.#underWay.size === 0
  }

  /** Puts an event of AWS itself, such as that an instance ends, on the default bus. */
  emit(source: `aws.${string}`, detailType: string, detail: JsonValue): BusEvent {
    const time = this.#clock.now()
    const event = makeEvent({ Source: source, DetailType: detailType, time, detail })
    this.#publish('default', event)
    return event
  }

  /** Waits until the targets have what was put, or are given up. */
  async settle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
    this.#stop.abort()
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
    PutRule: ({ Name, EventBusName, EventPattern = '', State = 'ENABLED' }: RuleInput) => {
      if (EventPattern.length > maxPatternLength) {
        throw new Refusal(
          'LimitExceededException',
          `a pattern has at most ${maxPatternLength} characters`,
        )
      }
      const bus = busOf(EventBusName)
      const key = `${bus}\n${Name}`
      const rules = [...this.#rules.values()].filter((rule) => rule.bus === bus).length
      if (!this.#rules.has(key) && rules >= maxRules) {
        throw new Refusal('LimitExceededException', `a bus has at most ${maxRules} rules`)
      }
      const targets = this.#rules.get(key)?.targets ?? new Map()
      const test = compile(EventPattern)
      this.#rules.set(key, { bus, name: Name, pattern: EventPattern, test, State, targets })
      return { RuleArn: ruleArn(Name, bus) }
    },
    DescribeRule: ({ Name, EventBusName }: RuleInput) => {
      const { bus, pattern, State } = this.#rule(EventBusName, Name)
      return { Name, Arn: ruleArn(Name, bus), EventPattern: pattern, State, EventBusName: bus }
    },
    PutTargets: ({ Rule, EventBusName, Targets }: TargetsInput) => {
      const { targets } = this.#rule(EventBusName, Rule)
      const known = (arn: string) => this.#options.targets?.has(arn) === true
      const failed = Targets.filter((target) => {
        const dead = target.DeadLetterConfig?.Arn
        if (!known(target.Arn) || (dead !== undefined && !known(dead))) return true
        targets.set(target.Id, target)
        return false
      }).map(({ Id, Arn }) => ({
        TargetId: Id,
        ErrorCode: 'ResourceNotFoundException',
        ErrorMessage: `${Arn} is no target here`,
      }))
      return { FailedEntryCount: failed.length, FailedEntries: failed }
    },
    RemoveTargets: ({ Rule, EventBusName, Ids }: RemoveInput) => {
      const { targets } = this.#rule(EventBusName, Rule)
      for (const id of Ids) targets.delete(id)
      return { FailedEntryCount: 0, FailedEntries: [] }
    },
  }

  #rule(bus: string | undefined, name: string): Rule {
    const rule = this.#rules.get(`${busOf(bus)}\n${name}`)
    if (rule !== undefined) return rule
    throw new Refusal(
      'ResourceNotFoundException',
      `Rule ${name} does not exist on EventBus ${busOf(bus)}.`,
    )
  }

  #put(entry: Entry): object {
    const { DetailType = '', Detail = '' } = entry
    const refusal = refusalOf(entry) ?? this.faults.entry?.(DetailType, Detail)
    if (refusal !== undefined) {
      this.counts.refused += 1
      return { ErrorCode: refusal, ErrorMessage: `the entry is refused: ${refusal}` }
    }
    this.counts.taken += 1
    const time = entry.Time === undefined ? this.#clock.now() : entry.Time * 1000
    const event = makeEvent({ ...entry, time, detail: JSON.parse(Detail) as JsonValue })
    this.#publish(busOf(entry.EventBusName), event)
    return { EventId: event.id }
  }

  #publish(bus: string, event: BusEvent): void {
    for (const rule of this.#rules.values()) {
      if (rule.bus !== bus || rule.State !== 'ENABLED') continue
      if (!rule.test(event as unknown as JsonValue)) continue
      for (const target of rule.targets.values()) {
        const work = this.#deliver(rule, target, event).finally(() => this.#underWay.delete(work))
        this.#underWay.add(work)
      }
    }
  }

  async #deliver(rule: Rule, target: TargetInput, event: BusEvent): Promise<void> {
    const { targets, announce = () => {}, backOff = { firstMs: 10, maxMs: 10_000 } } = this.#options
    const { signal } = this.#stop
    const {
      MaximumRetryAttempts: retries = defaultRetries,
      MaximumEventAgeInSeconds: age = 86_400,
    } = target.RetryPolicy ?? {}
    const oldest = this.#clock.now() + age * 1000
    for (let attempt = 0; ; attempt += 1) {
      try {
        // After the answer of PutEvents, and each target a copy of its own.
        await new Promise((resolve) => setImmediate(resolve))
        await targets!.get(target.Arn)!(structuredClone(event))
        this.counts.delivered += 1
        return
      } catch (error) {
        const which = `attempt ${attempt + 1} of ${retries + 1}`
        announce(`${target.Arn} did not take event ${event.id}, ${which}: ${error}`)
        const pause = Math.min(backOff.maxMs, backOff.firstMs * 2 ** attempt)
        const isOld = this.#clock.now() + pause > oldest
        if (attempt >= retries || isOld || signal.aborted) {
          await this.#giveUp(rule, target, event, { attempt, isOld, error })
          return
        }
        await this.#clock.sleep(pause, signal)
      }
    }
  }

  async #giveUp(
    rule: Rule,
    target: TargetInput,
    event: BusEvent,
    { attempt, isOld, error }: { attempt: number; isOld: boolean; error: unknown },
  ): Promise<void> {
    const { targets, announce = () => {} } = this.#options
    this.counts.undelivered += 1
    const dead = target.DeadLetterConfig?.Arn
    if (dead === undefined) return
    try {
      await targets!.get(dead)!(structuredClone(event), {
        RULE_ARN: ruleArn(rule.name, rule.bus),
        TARGET_ARN: target.Arn,
        ERROR_CODE: 'SDK_CLIENT_ERROR',
        ERROR_MESSAGE: String(error),
        EXHAUSTED_RETRY_CONDITION: isOld ? 'MaximumEventAgeInSeconds' : 'MaximumRetryAttempts',
        RETRY_ATTEMPTS: `${attempt}`,
      })
      this.counts.dead += 1
    } catch (cause) {
      announce(`${dead} did not take event ${event.id} either, it is lost: ${cause}`)
    }
  }
}

interface Rule {
  readonly bus: string
  readonly name: string
  readonly pattern: string
  readonly test: EventMatcher
  readonly State: string
  /** By their id. */
  readonly targets: Map<string, TargetInput>
}
