import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Resource } from '../topology/types.ts'

/** A resource of the topology in a stack. */
export interface Made {
  readonly kind: Resource['kind']
  readonly arn: string
  /** What a variable of a function holds by default: a name, a queue's URL, a topic's ARN. */
  readonly value: string
  /** Of alarms and dashboards: the name that metrics have. */
  readonly metricName?: string
  readonly key?: IKey
  /** Of schedules: the function's ARN, the role to name, the queue for what is given up. */
  readonly target?: string
  readonly role?: string
  readonly dead?: string
}

/** What the stacks have made so far, by its name in the topology. */
export class MadeResources {
  readonly #made = new Map<string, Made>()
  readonly #mappings = new Map<string, string>()

  add(name: string, made: Made): void {
    this.#made.set(name, made)
  }

  get(name: string): Made {
    const made = this.#made.get(name)
    if (made !== undefined) return made
    const known = [...this.#made.keys()].join(', ')
    throw new Error(
      `${name} is not made yet: a part may only name what it or one before makes: ${known}`,
    )
  }

  /** Ids of the mappings by which functions read streams, as metrics name them. */
  addMapping(stage: string, id: string): void {
    this.#mappings.set(stage, id)
  }

  mappingOf(stage: string): string {
    const id = this.#mappings.get(stage)
    if (id === undefined) throw new Error(`${stage} reads no stream that is made yet`)
    return id
  }

  entries(): IterableIterator<[string, Made]> {
    return this.#made.entries()
  }
}
