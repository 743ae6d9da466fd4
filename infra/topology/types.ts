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
  /** `dead`: queue for events that its key could not encrypt or decrypt. */
  | { readonly kind: 'bus'; readonly archiveDays: number; readonly dead: string }
  /** `lockDays`: objects cannot be changed or deleted for so long, unless an installation says otherwise. */
  | {
      readonly kind: 'bucket'
      readonly expireDays?: number
      readonly lockDays?: number
      readonly versioned?: boolean
    }
  | {
      readonly kind: 'queue'
      /** Longer than the time-out of the function that reads it: Lambda asks for six times it. */
      readonly visibilitySeconds: number
      /**
       * After so many a message goes to the queue's own dead-letter queue, named as it with `-dead` behind.
       * Without it the queue is one where things end.
       */
      readonly receives?: number
      readonly retentionDays: number
    }
  /** People and systems subscribe to it, with filter policies on message attributes. */
  | { readonly kind: 'topic' }
  /** Events of a bus that match go to a queue or topic as they are; for functions see {@link Trigger}. */
  | {
      readonly kind: 'route'
      readonly bus: string
      readonly pattern: EventPattern
      /** Name of a queue or topic. */
      readonly to: string
      readonly retries: number
      readonly maxAgeSeconds: number
      /** Queue for what is given up. */
      readonly dead: string
    }
  /**
   * Where functions keep one-time schedules, each of which invokes the function of a stage.
   * `{ of: NAME }` is the name of the group, `what: 'target'` the function's ARN, `what: 'role'` the
   * ARN of the role to name in a schedule, `what: 'dead'` the ARN of the queue for what is given up.
   */
  | {
      readonly kind: 'schedules'
      readonly to: string
      readonly dead: string
    }
  /**
   * Something of AWS or of the operator that no stack here makes, such as roles in other accounts.
   * In `arn`, PARTITION, REGION and ACCOUNT stand for those of the stack, INSTALLATION for what its names
   * begin with.
   */
  | { readonly kind: 'external'; readonly arn: string; readonly meaning: string }
  /** A secret that the operator fills; functions read it by its name. */
  | { readonly kind: 'secret'; readonly meaning: string }
  /** Writes the stream to a bucket, through the function `by`. */
  | { readonly kind: 'delivery'; readonly from: string; readonly to: string; readonly by: string }

export interface FunctionSpec {
  /** Folder below `lambdas`, and name of the function. */
  readonly stage: string
  readonly memoryMiB: number
  readonly timeoutSeconds: number
  /**
   * Most copies at once, kept free for it, in installations whose configuration reserves; else as many as
   * its triggers ask for and the account allows.
   */
  readonly reservedConcurrency?: number
  readonly triggers: readonly Trigger[]
  /** Value of each variable of the stage's contract that the topology knows. */
  readonly env: Readonly<Record<string, EnvValue>>
  /** Where it can reach: AWS's interfaces need neither. */
  readonly reach?: 'internet' | 'vpc'
}

/**
 * A text, or what a resource is called: a table's, stream's, bus's, bucket's or secret's name, a queue's
 * URL, a topic's ARN. `what: 'arn'` is the ARN of any of them; the others are said at the kind.
 * Or what the configuration of the installation says.
 */
export type EnvValue =
  | string
  | { readonly setting: Setting }
  | { readonly of: string; readonly what?: 'arn' | 'target' | 'role' | 'dead' }

/**
 * Lists have commas between: names of the clusters; principals that may approve responses; what names
 * of secrets of responses begin with.
 */
export type Setting = 'clusters' | 'approvers' | 'respond-secrets'

/** As EventBridge has it. */
export type EventPattern = Readonly<Record<string, unknown>>

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
      /**
       * Invocations at once for this queue, 2 to 1,000, within what the function has for itself: a message
       * that meets no free copy waits for its visibility to end, and has been received once more.
       */
      readonly maximumConcurrency: number
    }
  /**
   * Events of a bus that match; `bus` "" is the account's default one, with AWS's own events.
   * The function is invoked asynchronously: Lambda retries it at most twice and for at most 6 hours. What must
   * survive a longer outage goes through a `route` to a queue.
   */
  | {
      readonly kind: 'bus'
      readonly bus: string
      readonly pattern: EventPattern
      readonly retries: number
      readonly maxAgeSeconds: number
      /** Queue for what is given up. */
      readonly dead: string
    }
  /** Asynchronous too. A function that looks at the clock itself needs no retry: the next time comes. */
  | {
      readonly kind: 'schedule'
      readonly everyMinutes: number
      readonly retries: number
      readonly dead: string
    }
