import type { FunctionSpec, Resource, Topology, Trigger } from './types.ts'

/** What a topology wants to know of a stage's contract. */
export interface KnownContract {
  readonly env: Readonly<Record<string, { readonly default?: string }>>
  readonly permissions: readonly { readonly on: string }[]
}

/**
 * All that is wrong with a topology, in words: names of nothing, triggers that Lambda does not allow,
 * variables that a contract does not know or needs, permissions on nothing.
 */
export function topologyMistakes(
  topology: Topology,
  contracts: Readonly<Record<string, KnownContract>>,
): readonly string[] {
  const mistakes: string[] = []
  const stages = new Set(topology.functions.map(({ stage }) => stage))
  const wants = (where: string, name: string, kinds: readonly Resource['kind'][]) => {
    const found = resourceOf(topology, name)
    if (found === undefined) mistakes.push(`${where}: there is no ${name}`)
    else if (!kinds.includes(found.kind)) {
      mistakes.push(`${where}: ${name} is a ${found.kind}, not a ${kinds.join(' or ')}`)
    }
  }
  const wantsStage = (where: string, stage: string) => {
    if (!stages.has(stage)) mistakes.push(`${where}: there is no function ${stage}`)
  }
  for (const [name, resource] of Object.entries(topology.resources)) {
    if (resource.kind === 'delivery') {
      wants(name, resource.from, ['stream'])
      wants(name, resource.to, ['bucket'])
      wantsStage(name, resource.by)
    }
    if (resource.kind === 'bus') wants(name, resource.dead, ['queue'])
    if (resource.kind === 'queue') {
      const isRead = topology.functions.some(({ triggers }) =>
        triggers.some((trigger) => trigger.kind === 'queue' && trigger.queue === name),
      )
      if (resource.receives !== undefined && !isRead) mistakes.push(`${name}: nobody reads it`)
      mistakes.push(
        ...outOfRange(name, resource, {
          ...{ visibilitySeconds: [1, 43_200], receives: [1, 1000], retentionDays: [1, 14] },
        }),
      )
    }
    if (resource.kind === 'route') {
      mistakes.push(
        ...outOfRange(name, resource, { retries: [0, 185], maxAgeSeconds: [60, 86_400] }),
      )
      wants(name, resource.bus, ['bus'])
      wants(name, resource.to, ['queue', 'topic'])
      wants(name, resource.dead, ['queue'])
    }
    if (resource.kind === 'schedules') {
      wantsStage(name, resource.to)
      wants(name, resource.dead, ['queue'])
    }
  }
  for (const spec of topology.functions) {
    const isTransform = Object.values(topology.resources).some(
      (resource) => 'by' in resource && resource.by === spec.stage,
    )
    const isScheduled = Object.values(topology.resources).some(
      (resource) => resource.kind === 'schedules' && resource.to === spec.stage,
    )
    if (spec.triggers.length === 0 && !isTransform && !isScheduled) {
      mistakes.push(`${spec.stage}: nothing invokes it`)
    }
    mistakes.push(...triggerMistakes(spec, topology, wants))
    mistakes.push(...envMistakes(spec, topology, contracts[spec.stage]))
  }
  return mistakes
}

function triggerMistakes(
  { stage, triggers, timeoutSeconds, reservedConcurrency }: FunctionSpec,
  topology: Topology,
  wants: (where: string, name: string, kinds: readonly Resource['kind'][]) => void,
): readonly string[] {
  const mistakes: string[] = []
  const asynchronous = new Set<string>()
  for (const trigger of triggers) {
    switch (trigger.kind) {
      case 'stream':
        wants(stage, trigger.stream, ['stream'])
        wants(stage, trigger.failures, ['bucket'])
        mistakes.push(
          ...outOfRange(stage, trigger, {
            ...{ batchSize: [1, 10_000], windowSeconds: [0, 300], parallelizationFactor: [1, 10] },
            // without an end a record that cannot be judged holds its shard up for a day
            ...{ retries: [0, 10_000], maxAgeSeconds: [60, 604_800] },
          }),
        )
        break
      case 'queue': {
        wants(stage, trigger.queue, ['queue'])
        // more than ten messages at once only with a window
        const most = trigger.windowSeconds > 0 ? 10_000 : 10
        mistakes.push(
          ...outOfRange(stage, trigger, {
            ...{ batchSize: [1, most], windowSeconds: [0, 300], maximumConcurrency: [2, 1000] },
          }),
        )
        mistakes.push(...concurrencyMistakes(stage, trigger, reservedConcurrency, triggers.length))
        const queue = topology.resources[trigger.queue]
        if (queue?.kind !== 'queue') break
        // What a batch takes and what Lambda's pollers take before they see that it is over.
        if (queue.visibilitySeconds < timeoutSeconds) {
          const seconds = `${queue.visibilitySeconds} s of visibility`
          mistakes.push(`${stage}: ${trigger.queue} has ${seconds}, less than the time-out`)
        }
        if (queue.receives === undefined) {
          mistakes.push(`${stage}: ${trigger.queue} has no dead-letter queue and is read`)
        }
        break
      }
      case 'bus':
        if (trigger.bus !== '') wants(stage, trigger.bus, ['bus'])
        wants(stage, trigger.dead, ['queue'])
        asynchronous.add(`${trigger.retries} retries, then ${trigger.dead}`)
        if (trigger.maxAgeSeconds < 60 || trigger.maxAgeSeconds > 21_600) {
          mistakes.push(`${stage}: events may be 60 to 21600 s old, not ${trigger.maxAgeSeconds}`)
        }
        if (trigger.retries < 0 || trigger.retries > 2)
          mistakes.push(`${stage}: Lambda retries twice at most`)
        break
      case 'schedule':
        wants(stage, trigger.dead, ['queue'])
        asynchronous.add(`${trigger.retries} retries, then ${trigger.dead}`)
        if (trigger.retries < 0 || trigger.retries > 2)
          mistakes.push(`${stage}: Lambda retries twice at most`)
        mistakes.push(...outOfRange(stage, trigger, { everyMinutes: [1, 1440] }))
        break
    }
  }
  if (asynchronous.size > 1) {
    const ways = [...asynchronous].join('; ')
    mistakes.push(`${stage}: a function has one way to fail asynchronously, not: ${ways}`)
  }
  return mistakes
}

/** Pollers that invoke more copies than there may be are throttled, and each time a message is received in vain. */
function concurrencyMistakes(
  stage: string,
  { queue, maximumConcurrency }: Trigger & { readonly kind: 'queue' },
  reserved: number | undefined,
  triggers: number,
): readonly string[] {
  if (maximumConcurrency === undefined) return [`${stage}: ${queue} has no maximumConcurrency`]
  if (reserved === undefined) return []
  // what else invokes it needs a copy too
  const most = triggers > 1 ? reserved - 1 : reserved
  if (maximumConcurrency <= most) return []
  return [`${stage}: ${queue} may invoke ${maximumConcurrency} copies at once, of ${most}`]
}

/** Numbers of a trigger or resource that AWS does not take, or that would never end. */
function outOfRange(
  where: string,
  of: object,
  ranges: Readonly<Record<string, readonly [least: number, most: number]>>,
): readonly string[] {
  return Object.entries(ranges).flatMap(([name, [least, most]]) => {
    const value = (of as Readonly<Record<string, unknown>>)[name]
    if (value === undefined) return []
    const isRight = Number.isInteger(value) && Number(value) >= least && Number(value) <= most
    return isRight ? [] : [`${where}: ${name} is from ${least} to ${most}, not ${value}`]
  })
}

function envMistakes(
  { stage, env }: FunctionSpec,
  topology: Topology,
  contract: KnownContract | undefined,
): readonly string[] {
  if (contract === undefined) return [`${stage}: there is no lambdas/${stage}/contract.ts`]
  const mistakes: string[] = []
  for (const [name, value] of Object.entries(env)) {
    if (!Object.hasOwn(contract.env, name)) mistakes.push(`${stage}: its contract has no ${name}`)
    if (typeof value === 'string' || 'setting' in value) continue
    if (resourceOf(topology, value.of) === undefined) {
      mistakes.push(`${stage}: ${name} is of ${value.of}, which there is not`)
    }
  }
  for (const [name, variable] of Object.entries(contract.env)) {
    if (variable.default === undefined && !Object.hasOwn(env, name)) {
      mistakes.push(`${stage}: ${name} is not set`)
    }
  }
  for (const { on } of contract.permissions) {
    if (resourceOf(topology, on) === undefined) {
      mistakes.push(`${stage}: a permission is on ${on}, which there is not`)
    }
  }
  return mistakes
}

/** A resource by its name; the dead-letter queue of a queue is one too. */
export function resourceOf({ resources }: Topology, name: string): Resource | undefined {
  const found = Object.hasOwn(resources, name) ? resources[name] : undefined
  if (found !== undefined || !name.endsWith('-dead')) return found
  const queue = resources[name.slice(0, -'-dead'.length)]
  return queue?.kind === 'queue' && queue.receives !== undefined ? queue : undefined
}
