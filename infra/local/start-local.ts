import { randomUUID } from 'node:crypto'
import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import type { EventPattern, FunctionSpec, Topology } from '../topology/types.ts'
import { type Endpoints, type LocalClients, localCredentials, makeClients } from './clients.ts'
import { type Clock, systemClock } from './clock.ts'
import type { BusEvent, BusTarget, EventBus } from './event-bus.ts'
import { functionArn, LocalLambda } from './local-lambda.ts'
import { LocalNames } from './local-names.ts'
import { makeResources } from './make-resources.ts'
import { putSecrets, type Services, startServices } from './services.ts'
import { type Wires, wireTriggers } from './wire-triggers.ts'

export interface LocalOptions {
  /** The functions to have here: all of the topology. What only others do is left undone. */
  readonly stages?: readonly string[]
  readonly overrides?: {
    /** More variables, or others, by stage. */
    readonly env?: Readonly<Record<string, Readonly<Record<string, string>>>>
    /** URL of the module that exports `handler`, by stage: `lambdas/STAGE/handler.ts`. */
    readonly handlers?: Readonly<Record<string, string>>
    /** Texts of secrets by the name of their resource; the others are empty. */
    readonly secrets?: Readonly<Record<string, string>>
  }
  /** Services that run already, such as behind a proxy with faults. The bus is always our own. */
  readonly endpoints?: Partial<Omit<Endpoints, 'eventbridge' | 'scheduler'>>
  /** Whether functions with a schedule run by it; otherwise by {@link LocalStack.runSchedule} alone: true. */
  readonly schedules?: boolean
  /** Seconds of records in an object of the lake: 5. */
  readonly deliverySeconds?: number
  /** Milliseconds between two looks at an idle shard: 200, as in AWS. */
  readonly pollMs?: number
  readonly clock?: Clock
  /** Lines that functions write. */
  readonly log?: (stage: string, line: string) => void
  /** What a person should know. */
  readonly announce?: (message: string) => void
}

/** A topology that runs on this machine. */
export class LocalStack {
  readonly endpoints: Endpoints
  readonly clients: LocalClients
  readonly names: LocalNames
  readonly bus: EventBus
  readonly services: Services
  readonly lambdas: ReadonlyMap<string, LocalLambda>
  readonly wires: Wires
  readonly #topology: Topology
  readonly #clock: Clock
  readonly #targets: Map<string, BusTarget>
  readonly #stop = new AbortController()
  readonly #timers: Promise<void>[] = []

  constructor(parts: {
    readonly topology: Topology
    readonly services: Services
    readonly clients: LocalClients
    readonly names: LocalNames
    readonly lambdas: ReadonlyMap<string, LocalLambda>
    readonly wires: Wires
    readonly targets: Map<string, BusTarget>
    readonly clock: Clock
    readonly schedules: boolean
  }) {
    const { services, clients, names, lambdas, wires } = parts
    this.services = services
    this.endpoints = services.endpoints
    this.bus = services.bus
    this.clients = clients
    this.names = names
    this.lambdas = lambdas
    this.wires = wires
    this.#topology = parts.topology
    this.#clock = parts.clock
    this.#targets = parts.targets
    if (!parts.schedules) return
    for (const { stage, triggers } of parts.topology.functions) {
      for (const trigger of triggers) {
        if (trigger.kind === 'schedule' && lambdas.has(stage)) {
          this.#timers.push(this.#repeat(stage, trigger.everyMinutes * 60_000))
        }
      }
    }
  }

  /** Invokes a function and waits for its answer. */
  async invoke(stage: string, event: unknown): Promise<unknown> {
    return this.#lambda(stage).invoke(event)
  }

  /** Invokes a function as its schedule does, as if it were this time, in milliseconds. */
  runSchedule(stage: string, time = this.#clock.now()): Promise<unknown> {
    return this.invoke(stage, scheduledEvent(this.names.functionName(stage), time, randomUUID()))
  }

  /** Calls a listener with the events of a bus of the topology that match. */
  async listen(
    bus: string,
    pattern: EventPattern,
    listener: (event: BusEvent) => void,
  ): Promise<void> {
    const Name = `listener-${this.#targets.size}`
    const EventBusName = this.names.name(bus)
    this.#targets.set(Name, listener)
    const { eventbridge } = this.clients
    const EventPattern = JSON.stringify(pattern)
    await eventbridge.send(new PutRuleCommand({ Name, EventBusName, EventPattern }))
    const Targets = [{ Id: Name, Arn: Name }]
    await eventbridge.send(new PutTargetsCommand({ Rule: Name, EventBusName, Targets }))
  }

  /** Messages in a queue, visible, under way or put off. A dead-letter queue is called as its queue, `-dead` behind. */
  async depth(queue: string): Promise<number> {
    const { now, delayed } = await this.#depths(queue)
    return now + delayed
  }

  async #depths(queue: string): Promise<{ readonly now: number; readonly delayed: number }> {
    const { Attributes } = await this.clients.sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: this.names.queueUrl(queue),
        AttributeNames: ['All'],
      }),
    )
    const visible = Number(Attributes?.ApproximateNumberOfMessages ?? 0)
    const underWay = Number(Attributes?.ApproximateNumberOfMessagesNotVisible ?? 0)
    const delayed = Number(Attributes?.ApproximateNumberOfMessagesDelayed ?? 0)
    return { now: visible + underWay, delayed }
  }

  /**
   * Waits until all that was put before has gone its way: taken, given up or dead. Rejects when that
   * takes longer. What a function put off until later has gone its way.
   */
  async settle(timeoutMs = 90_000): Promise<void> {
    const end = Date.now() + timeoutMs
    // Until a round moves nothing: what one has moved may have moved something that was at rest before.
    for (let moved = -1; moved !== this.#moved(); ) {
      moved = this.#moved()
      const since = performance.now()
      for (;;) {
        const busy = await this.#busy(since)
        if (busy.length === 0) break
        if (Date.now() > end) {
          throw new Error(`still under way after ${timeoutMs} ms: ${busy.join(', ')}`)
        }
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
  }

  /** Stops all of it; records that are not taken stay where they are, and go with the emulators. */
  async stop(): Promise<void> {
    this.#stop.abort()
    const { mappings, pollers, deliveries, asyncs } = this.wires
    await Promise.all([
      ...[...mappings.values(), ...deliveries.values()].map((wire) => wire.stop()),
      ...pollers.map(({ poller }) => poller.stop()),
      ...this.#timers,
    ])
    await Promise.all([...asyncs.values()].map((async) => async.stop()))
    await Promise.all([...this.lambdas.values()].map((lambda) => lambda.stop()))
    await this.services.stop()
    this.clients.close()
  }

  /** Grows with whatever happens. */
  #moved(): number {
    const invocations = [...this.lambdas.values()].map(({ counts }) => counts.invocations)
    return invocations.reduce((sum, count) => sum + count, this.bus.counts.taken)
  }

  /** What is not done of what there was at this time, by `performance.now()`. */
  async #busy(since: number): Promise<string[]> {
    const { mappings, pollers, deliveries, asyncs } = this.wires
    const busy: string[] = []
    for (const [stage, mapping] of mappings) {
      if (!mapping.isDone(since)) busy.push(`the stream of ${stage}`)
    }
    for (const [name, delivery] of deliveries) if (!delivery.isDone(since)) busy.push(name)
    if (!this.bus.isIdle) busy.push('the bus')
    for (const [stage, async] of asyncs) if (!async.isIdle) busy.push(stage)
    for (const { queue, poller } of pollers) {
      if (!poller.isIdle || (await this.#depths(queue)).now > 0) busy.push(`the queue ${queue}`)
    }
    return busy
  }

  async #repeat(stage: string, periodMs: number): Promise<void> {
    const { signal } = this.#stop
    for (;;) {
      const next = (Math.floor(this.#clock.now() / periodMs) + 1) * periodMs
      await this.#clock.sleep(next - this.#clock.now(), signal)
      if (signal.aborted) return
      const event = scheduledEvent(this.names.functionName(stage), next, randomUUID())
      this.wires.asyncs.get(stage)!.accept(event)
    }
  }

  #lambda(stage: string): LocalLambda {
    const lambda = this.lambdas.get(stage)
    if (lambda !== undefined) return lambda
    throw new Error(`no function ${stage} runs here, only ${[...this.lambdas.keys()].join(', ')}`)
  }
}

/** Starts the services, makes the resources, and connects functions with what triggers them. */
export async function startLocal(
  topology: Topology,
  options: LocalOptions = {},
): Promise<LocalStack> {
  const { clock = systemClock, announce = () => {}, overrides = {} } = options
  const targets = new Map<string, BusTarget>()
  const lambdas = new Map<string, LocalLambda>()
  let wires: Wires | undefined
  const services = await startServices({
    ...{ given: options.endpoints ?? {}, targets, clock, announce },
    async invokeSchedule(target, input) {
      const stage = topology.functions.find(
        ({ stage }) => functionArn(names.functionName(stage)) === target,
      )
      const async = stage && wires?.asyncs.get(stage.stage)
      if (async === undefined) throw new Error(`${target} is no function here`)
      async.accept(input)
    },
    findFunction(name) {
      const stage = topology.functions.find(
        ({ stage }) => names.functionName(stage) === name,
      )?.stage
      const lambda = stage && lambdas.get(stage)
      if (!lambda) return undefined
      return {
        invoke: (event) => lambda.invoke(event),
        async accept(event) {
          const async = wires?.asyncs.get(stage)
          if (async !== undefined) async.accept(event)
          else await lambda.invoke(event).catch(() => {}) // its log has the error
        },
      }
    },
  })
  const names = new LocalNames(topology, services.endpoints.sqs)
  const clients = makeClients(services.endpoints)
  try {
    await makeResources(topology, names, clients)
    await putSecrets(services.endpoints.secrets_manager, secretsOf(topology, names, overrides))
    for (const spec of topology.functions) {
      if (options.stages !== undefined && !options.stages.includes(spec.stage)) continue
      lambdas.set(spec.stage, makeLambda(spec, { names, services, options }))
    }
    wires = await wireTriggers({
      ...{ topology, names, clients, lambdas, targets, clock, announce },
      ...{ pollMs: options.pollMs ?? 200, deliverySeconds: options.deliverySeconds ?? 5 },
    })
  } catch (error) {
    await services.stop()
    clients.close()
    throw error
  }
  const schedules = options.schedules ?? true
  const parts = { topology, services, clients, names, lambdas, wires, targets, clock, schedules }
  return new LocalStack(parts)
}

function makeLambda(
  spec: FunctionSpec,
  parts: { names: LocalNames; services: Services; options: LocalOptions },
): LocalLambda {
  const { names, services, options } = parts
  const { stage, memoryMiB, timeoutSeconds, reservedConcurrency } = spec
  const handlers = options.overrides?.handlers ?? {}
  const values = Object.entries(spec.env).map(([name, value]) => [name, names.value(value)])
  return new LocalLambda({
    ...{ name: names.functionName(stage), memoryMiB, timeoutSeconds, reservedConcurrency },
    handler: handlers[stage] ?? new URL(`../../lambdas/${stage}/handler.ts`, import.meta.url).href,
    env: {
      ...endpointVariables(services.endpoints),
      ...Object.fromEntries(values),
      ...options.overrides?.env?.[stage],
    },
    log: (line) => options.log?.(stage, line),
  })
}

/** What leads the clients of a function to the services of this machine. */
function endpointVariables(endpoints: Endpoints): Record<string, string> {
  const urls = Object.entries(endpoints).map(([service, url]) => [
    `AWS_ENDPOINT_URL_${service.toUpperCase()}`,
    url,
  ])
  return {
    ...Object.fromEntries(urls),
    AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    S3_PATH_STYLE: 'true',
  }
}

function secretsOf(
  { resources }: Topology,
  names: LocalNames,
  { secrets = {} }: NonNullable<LocalOptions['overrides']>,
): Record<string, string> {
  const found = Object.entries(resources).filter(([, { kind }]) => kind === 'secret')
  return Object.fromEntries(found.map(([name]) => [names.name(name), secrets[name] ?? '']))
}

function scheduledEvent(name: string, time: number, id: string): object {
  return {
    ...{ version: '0', id, 'detail-type': 'Scheduled Event', source: 'aws.events' },
    time: new Date(time).toISOString().replace(/\.\d+Z$/, 'Z'),
    ...{ account: '000000000000', region: 'us-east-1', detail: {} },
    resources: [`arn:aws:events:us-east-1:000000000000:rule/${name}`],
  }
}
