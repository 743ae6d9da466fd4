import type { Position } from '#load'

export const destinationKinds = [
  'sns',
  'slack',
  'alertmanager',
  'pagerduty',
  'jira',
  'github',
  'security-hub',
  'webhook',
  'falcosidekick',
] as const
export type DestinationKind = (typeof destinationKinds)[number]

/** Where it can be reached from: `aws` needs no network of its own. */
export type Reach = 'aws' | 'internet' | 'vpc'

/** Where messages can be sent to, as the routes file describes it. Holds no secret, only its name. */
export interface Destination {
  readonly name: string
  readonly kind: DestinationKind
  readonly reach: Reach
  /** Name of a secret in Secrets Manager, see {@link secretOf}; its members by kind: {@link kindSettings}. */
  readonly secret?: string
  /** Texts by key, such as `channel`. */
  readonly settings: Readonly<Record<string, string>>
  readonly urls: readonly string[]
  /** Messages it may get in how many milliseconds. */
  readonly rate: { readonly messages: number; readonly perMs: number }
  readonly timeoutMs: number
  /** After how long without success a message goes to the dead letters. */
  readonly giveUpMs: number
  /** PEM of authorities to trust beside those of the system. */
  readonly authorities?: string
  readonly at: Position
}

export interface Setting {
  readonly meaning: string
  readonly required?: true
  readonly default?: string
  readonly oneOf?: readonly string[]
  /** What its text must look like, and in words. */
  readonly form?: readonly [RegExp, string]
}

interface KindSettings {
  /** Networks that it can be in, the usual one first. */
  readonly reach: readonly Reach[]
  /** Messages in so many seconds, unless the file says otherwise: below what the vendor allows. */
  readonly rate: string
  /** Members of its secret; without any it has none. */
  readonly secret: readonly string[]
  readonly needsSecret: boolean
  /** How many URLs: none, one, or several that all get each message. */
  readonly urls: 'none' | 'one' | 'optional' | 'many'
  readonly settings: Readonly<Record<string, Setting>>
}

const tls = ['certificate', 'private-key'] as const

/** What each kind of destination takes. */
export const kindSettings: Readonly<Record<DestinationKind, KindSettings>> = {
  sns: {
    ...{ reach: ['aws'], rate: '100/s', secret: [], needsSecret: false, urls: 'none' },
    settings: {
      topic: {
        meaning: 'ARN of the topic; lanner is the one that comes with the stack',
        default: 'lanner',
        form: [
          /^(?:lanner|arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w-]{1,256}(?:\.fifo)?)$/,
          'the ARN of an SNS topic',
        ],
      },
    },
  },
  slack: {
    ...{ reach: ['internet'], rate: '1/s', secret: ['token', 'url'], needsSecret: true },
    urls: 'optional',
    settings: {
      channel: {
        meaning: 'id of the channel, for a bot token; an incoming webhook has its own',
        form: [/^[CGD][A-Z0-9]{6,}$/, "a channel's id, such as C0123456789 (not its name)"],
      },
    },
  },
  alertmanager: {
    ...{ reach: ['vpc'], rate: '20/s', secret: ['username', 'password', 'token', ...tls] },
    ...{ needsSecret: false, urls: 'many' },
    settings: {
      'resend-every': { meaning: 'how often an open incident is sent again', default: '2m' },
      'team-label': { meaning: 'label of pods that names the team', default: 'team' },
    },
  },
  pagerduty: {
    ...{ reach: ['internet'], rate: '120/m', secret: ['routing-key'], needsSecret: true },
    urls: 'optional',
    settings: {
      region: { meaning: 'where the account is', default: 'us', oneOf: ['us', 'eu'] },
    },
  },
  jira: {
    ...{ reach: ['internet'], rate: '60/m', secret: ['email', 'token'], needsSecret: true },
    urls: 'one',
    settings: {
      project: {
        meaning: 'key of the project',
        required: true,
        form: [/^[A-Z][A-Z0-9_]{1,9}$/, "a project's key, such as SEC"],
      },
      'issue-type': { meaning: 'name of the issue type', default: 'Task' },
      'done-transition': { meaning: 'transition to take when the incident closes; none without' },
    },
  },
  github: {
    ...{ reach: ['internet'], rate: '40/m', secret: ['token'], needsSecret: true },
    urls: 'optional',
    settings: {
      repository: {
        meaning: 'owner/name',
        required: true,
        form: [/^[\w.-]+\/[\w.-]+$/, 'owner/name'],
      },
      'close-issue': { meaning: 'whether it closes with its incident', default: 'false' },
    },
  },
  'security-hub': {
    ...{ reach: ['aws'], rate: '5/s', secret: [], needsSecret: false, urls: 'none' },
    settings: {},
  },
  webhook: {
    ...{
      reach: ['internet', 'vpc'],
      rate: '20/s',
      secret: ['key', 'token', ...tls],
      needsSecret: true,
    },
    ...{ urls: 'one', settings: {} },
  },
  falcosidekick: {
    ...{ reach: ['vpc'], rate: '20/s', secret: ['token', ...tls], needsSecret: false },
    ...{ urls: 'one', settings: {} },
  },
}

/** What secrets of a kind are called, behind the name of the installation: its function may read no others. */
export function secretOf(kind: DestinationKind): RegExp {
  return new RegExp(`^[\\w-]{1,64}/notify/${kind}(?:/[\\w/+=.@-]{1,200})?$`)
}

/** Keys that every destination may have. */
export const commonKeys = ['destination', 'kind', 'reach', 'rate', 'timeout', 'give-up'] as const
