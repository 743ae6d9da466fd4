/**
 * What there is in an account, as data: `infra/stages` makes CloudFormation of it, `infra/local` the
 * same on this machine. Names are those that contracts use in `permissions`.
 */
export interface Topology {
  readonly resources: Readonly<Record<string, Resource>>
  readonly functions: readonly FunctionSpec[]
}

export type Resource =
  /** Batches of nodes; the partition key is the node. */
  | { readonly kind: 'stream'; readonly retentionHours: number; readonly shards: number }
  /** Items by `pk` and `sk`, gone after `expires`. */
  | { readonly kind: 'table' }
  | { readonly kind: 'bus'; readonly archiveDays: number }
  /** `lockDays`: objects cannot be changed or deleted for so long. */
  | {
      readonly kind: 'bucket'
      readonly expireDays?: number
      readonly lockDays?: number
      readonly versioned?: boolean
    }
  /** With a dead-letter queue of its own, named as it with `-dead` behind. */
  | {
      readonly kind: 'queue'
      readonly visibilitySeconds: number
      readonly receives: number
      readonly retentionDays: number
    }
  | { readonly kind: 'topic' }
  /** A secret that the operator fills; functions read it by its name. */
  | { readonly kind: 'secret'; readonly meaning: string }
  /** Writes the stream to a bucket, through the function `by`. */
  | { readonly kind: 'delivery'; readonly from: string; readonly to: string; readonly by: string }

export interface FunctionSpec {
  /** Folder below `lambdas`, and name of the function. */
  readonly stage: string
  readonly memoryMiB: number
  readonly timeoutSeconds: number
  /** Most copies at once; without it as many as the account allows. */
  readonly reservedConcurrency?: number
  readonly triggers: readonly Trigger[]
  /** Value of each variable of the stage's contract that the topology knows. */
  readonly env: Readonly<Record<string, EnvValue>>
  /** Where it can reach: AWS's interfaces need neither. */
  readonly reach?: 'internet' | 'vpc'
}

/** A text, or what a resource is called: a table's, stream's, bus's or bucket's name, a queue's URL, a topic's ARN. */
export type EnvValue = string | { readonly of: string }

export type Trigger =
  | {
      readonly kind: 'stream'
      readonly stream: string
      readonly batchSize: number
      readonly windowSeconds: number
      readonly parallelizationFactor: number
      readonly retries: number
      readonly maxAgeSeconds: number
      /** Bucket that gets what is given up, with its bytes. */
      readonly failures: string
    }
  | {
      readonly kind: 'queue'
      readonly queue: string
      readonly batchSize: number
      readonly windowSeconds: number
    }
  /** Events of a bus that match; `bus` "" is the account's default one, with AWS's own events. */
  | {
      readonly kind: 'bus'
      readonly bus: string
      readonly pattern: Readonly<Record<string, unknown>>
      readonly retries: number
      readonly maxAgeSeconds: number
      /** Queue for what is given up. */
      readonly dead: string
    }
  | { readonly kind: 'schedule'; readonly everyMinutes: number }
