import type { EnvValue, Resource, Topology } from '../topology/types.ts'
import { secretArn } from './emulators/secrets.ts'
import { account, region, streamArn } from './kinesis-event.ts'
import { functionArn } from './local-lambda.ts'
import { queueArn } from './queue-poller.ts'

/** What the resources of a topology are called on this machine. */
export class LocalNames {
  readonly #topology: Topology
  readonly #sqs: string

  /** `sqs`: the endpoint of the queues. */
  constructor(topology: Topology, sqs: string) {
    this.#topology = topology
    this.#sqs = sqs
  }

  /** The name alone, whatever the kind. */
  name(resource: string): string {
    this.#resource(resource)
    return `lanner-${resource}`
  }

  queueUrl(queue: string): string {
    return `${this.#sqs}/${account}/lanner-${queue}`
  }

  arn(resource: string): string {
    const name = `lanner-${resource}`
    const found = this.#resource(resource)
    switch (found.kind) {
      case 'stream':
        return streamArn(name)
      case 'table':
        return `arn:aws:dynamodb:${region}:${account}:table/${name}`
      case 'bus':
        return `arn:aws:events:${region}:${account}:event-bus/${name}`
      case 'bucket':
        return `arn:aws:s3:::${name}`
      case 'queue':
        return queueArn(name)
      case 'topic':
        return `arn:aws:sns:${region}:${account}:${name}`
      case 'secret':
        return secretArn(name)
      case 'schedules':
        return `arn:aws:scheduler:${region}:${account}:schedule-group/${name}`
      case 'external':
        return found.arn
          .replaceAll('PARTITION', 'aws')
          .replaceAll('REGION', region)
          .replaceAll('ACCOUNT', account)
          .replaceAll('INSTALLATION', 'lanner')
      case 'route':
      case 'delivery':
        return `arn:aws:events:${region}:${account}:rule/${name}`
    }
  }

  /** What a variable of a function holds. */
  value(value: EnvValue): string {
    if (typeof value === 'string') return value
    // there are none here, but for what names begin with
    if ('setting' in value) return value.setting === 'respond-secrets' ? 'lanner/respond/' : ''
    const { of, what } = value
    const resource = this.#resource(of)
    if (what === 'arn') return this.arn(of)
    if (resource.kind === 'schedules') {
      if (what === 'target') return functionArn(this.functionName(resource.to))
      if (what === 'role') return `arn:aws:iam::${account}:role/lanner-${of}`
      if (what === 'dead') return this.arn(resource.dead)
    }
    if (what !== undefined) throw new Error(`${of} is a ${resource.kind} and has no ${what}`)
    switch (resource.kind) {
      case 'queue':
        return this.queueUrl(of)
      case 'topic':
      case 'external':
        return this.arn(of)
      default:
        return this.name(of)
    }
  }

  functionName(stage: string): string {
    return `lanner-${stage}`
  }

  #resource(name: string): Resource {
    const found = this.#topology.resources[name]
    if (found !== undefined) return found
    // A dead-letter queue comes with its queue.
    const queue = name.endsWith('-dead') ? this.#topology.resources[name.slice(0, -5)] : undefined
    if (queue?.kind === 'queue') return queue
    const known = Object.keys(this.#topology.resources).join(', ')
    throw new Error(`the topology has no ${name}, only ${known}`)
  }
}
