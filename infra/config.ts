import { nearestName } from '#events'
import { limitMistakes } from './config-limits.ts'

/** A cluster whose nodes write to the stream. */
export interface ClusterConfig {
  /** Name in EKS, and on every batch and alert. */
  readonly name: string
  /** Account and region it runs in; the home ones when absent. */
  readonly account?: string
  readonly region?: string
  readonly namespace: string
  readonly serviceAccount: string
}

/** All that can be chosen of an installation. */
export interface LannerConfig {
  /** Begins the names of stacks, functions, stream and bus. */
  readonly name: string
  /** The home account and region; those of whoever deploys when absent. */
  readonly account?: string
  readonly region?: string
  readonly shards: number
  /** Days that functions' logs are kept. */
  readonly logDays: number
  /** Days that detections and batches are kept in the lake. */
  readonly lakeDays: number
  readonly evidenceDays: number
  /** What removing a stack does with table, lake and rules: keep them, or not. */
  readonly keepData: boolean
  /** Functions and nodes use the FIPS endpoints of AWS. */
  readonly fips: boolean
  /** Functions keep copies for themselves alone, of those that the account may run at once. */
  readonly reservedConcurrency: boolean
  /** Whether the stack that can change clusters is there at all. */
  readonly response: boolean
  /** IAM principals that may approve responses, as STS names them; `*` stands for any text. */
  readonly approvers: readonly string[]
  /** Further accounts whose clusters may write to the stream, beside those of `clusters`. */
  readonly memberAccounts: readonly string[]
  /** Where people find infra/RUNBOOK.md. */
  readonly runbook: string
  /** Tags of everything, for bills and owners. */
  readonly tags: Readonly<Record<string, string>>
  /** Where functions run whose destinations are inside; they run outside when absent. */
  readonly vpc?: { readonly subnets: readonly string[]; readonly securityGroups: readonly string[] }
  readonly clusters: readonly ClusterConfig[]
}

interface Field<T> {
  readonly meaning: string
  /** How the default is written; "" when there is none. */
  readonly preset: string
  /** The value, or what it should have been. */
  readonly read: (value: unknown) => T | Wrong
}
class Wrong {
  readonly expected: string

  constructor(expected: string) {
    this.expected = expected
  }
}

/** What CloudWatch Logs can keep. */
const logDays = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653]

const text = (pattern: RegExp, form: string) => (value: unknown) =>
  typeof value === 'string' && pattern.test(value) ? value : new Wrong(form)
const flag = (value: unknown) => (typeof value === 'boolean' ? value : new Wrong('true or false'))
const whole = (least: number, most: number) => (value: unknown) =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most
    ? Number(value)
    : new Wrong(`a whole number from ${least} to ${most}`)
const listOf = (pattern: RegExp, form: string, least: number) => (value: unknown) =>
  Array.isArray(value) && value.length >= least && value.every((one) => pattern.test(String(one)))
    ? (value as string[])
    : new Wrong(`a list of ${form}`)
const account = text(/^\d{12}$/, 'the twelve digits of an account')
const region = text(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a region such as eu-central-1')
const label = text(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a name of Kubernetes')

const fields = {
  name: {
    meaning: 'begins the names of stacks, functions, stream and bus',
    preset: 'lanner',
    read: text(/^[a-z][a-z0-9-]{0,19}$/, 'up to 20 lower-case letters, digits and dashes'),
  },
  account: { meaning: 'home account; that of whoever deploys', preset: '', read: account },
  region: {
    meaning: 'home region, which holds state and bus; that of whoever deploys',
    preset: '',
    read: region,
  },
  shards: { meaning: 'shards of the stream', preset: '1', read: whole(1, 200) },
  logDays: {
    meaning: 'days that logs of functions are kept',
    preset: '90',
    read: (value) =>
      logDays.includes(value as number) ? (value as number) : new Wrong(logDays.join(', ')),
  },
  lakeDays: { meaning: 'days that the lake keeps batches', preset: '90', read: whole(1, 3650) },
  evidenceDays: {
    meaning: 'days that evidence is locked: in governance mode, by Object Lock',
    preset: '90',
    read: whole(1, 3650),
  },
  keepData: {
    meaning: 'removing a stack keeps table, lake, rules and evidence',
    preset: 'true',
    read: flag,
  },
  fips: {
    meaning: 'use the FIPS endpoints of AWS, which regions of the US, Canada and GovCloud have',
    preset: 'false',
    read: flag,
  },
  reservedConcurrency: {
    meaning: 'keep copies free for some functions; not for a new account, see below',
    preset: 'false',
    read: flag,
  },
  response: {
    meaning: 'deploy what can change clusters; it still observes only, until a policy says more',
    preset: 'false',
    read: flag,
  },
  approvers: {
    meaning: 'principals that may approve responses, as STS names them; `*` stands for any text',
    preset: '[]',
    read: listOf(
      /^arn:[\w-]+:(sts|iam)::[^,\s]{1,400}$/,
      'ARNs of principals, as STS names them',
      0,
    ),
  },
  memberAccounts: {
    meaning: 'accounts whose clusters may write, beside those of `clusters`',
    preset: '[]',
    read: listOf(/^\d{12}$/, 'the twelve digits of accounts', 0),
  },
  runbook: {
    meaning: 'address of infra/RUNBOOK.md, for alarms',
    preset: 'infra/RUNBOOK.md',
    read: text(/^[\x21-\x7e]{1,200}$/, 'an address without spaces'),
  },
} as const satisfies Readonly<Record<string, Field<unknown>>>

const clusterFields = {
  name: {
    meaning: 'name of the cluster in EKS',
    preset: '',
    read: text(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, 'the name of a cluster in EKS'),
  },
  account: { meaning: 'its account', preset: '', read: account },
  region: { meaning: 'its region', preset: '', read: region },
  namespace: { meaning: 'namespace of the collector', preset: 'lanner', read: label },
  serviceAccount: { meaning: 'its service account', preset: 'lanner', read: label },
} as const satisfies Readonly<Record<string, Field<unknown>>>

const vpcFields = {
  subnets: {
    meaning: 'subnets of functions whose destinations are inside; absent, they run outside',
    preset: '',
    read: listOf(/^subnet-[0-9a-f]+$/, 'subnet-…', 1),
  },
  securityGroups: {
    meaning: 'security groups of the same',
    preset: '',
    read: listOf(/^sg-[0-9a-f]+$/, 'sg-…', 1),
  },
} as const satisfies Readonly<Record<string, Field<unknown>>>

/** Why a configuration is refused: every mistake, by its path. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(`the context "lanner" in cdk.json:\n${mistakes.map((one) => `  ${one}`).join('\n')}`)
    this.mistakes = mistakes
  }
}

/** The configuration in `context.lanner` of cdk.json, or `-c lanner=JSON`. Throws a {@link ConfigError}. */
export function readConfig(given: unknown): LannerConfig {
  const mistakes: string[] = []
  const whole_ = asMap(typeof given === 'string' ? parsed(given, mistakes) : given, '', mistakes)
  const { tags = {}, clusters = [], vpc, ...simple } = whole_
  const values = readFields(fields, simple, '', mistakes, ['tags', 'clusters', 'vpc'])
  const tagMap = Object.entries(asMap(tags, 'tags', mistakes)).map(([key, value]) => {
    if (typeof value !== 'string') mistakes.push(`tags.${key}: expected a text`)
    return [key, String(value)]
  })
  const network = vpc === undefined ? undefined : asMap(vpc, 'vpc', mistakes)
  if (network !== undefined) readFields(vpcFields, network, 'vpc.', mistakes)
  for (const key of Object.keys(network === undefined ? {} : vpcFields)) {
    if (network?.[key] === undefined) mistakes.push(`vpc.${key}: is missing`)
  }
  if (!Array.isArray(clusters)) mistakes.push('clusters: expected a list')
  const list = (Array.isArray(clusters) ? clusters : []).map((one: unknown, at) => {
    const where = `clusters[${at}].`
    const found = readFields(
      clusterFields,
      asMap(one, `clusters[${at}]`, mistakes),
      where,
      mistakes,
    )
    if (found['name'] === undefined) mistakes.push(`${where}name: is missing`)
    return found as unknown as ClusterConfig
  })
  const names = list.map(({ name }) => name)
  for (const name of new Set(names.filter((one, at) => names.indexOf(one) !== at))) {
    mistakes.push(`clusters: ${name} is there twice`)
  }
  for (const { name } of list) {
    const most = 64 - `${values['name']}-respond-destroy-`.length
    if (name?.length > most) {
      mistakes.push(`clusters: ${name} is too long for names of roles: ${most} characters at most`)
    }
  }
  for (const { name, account: of, region: at } of list) {
    const isElsewhere = (of ?? values['account']) !== values['account']
    const isRemote = isElsewhere || (at ?? values['region']) !== values['region']
    if (isRemote && (values['account'] === undefined || values['region'] === undefined)) {
      mistakes.push(`clusters: ${name} is elsewhere: then the home account and region must be set`)
    }
  }
  const config = {
    ...{ ...values, tags: Object.fromEntries(tagMap), clusters: list },
    ...(network !== undefined && { vpc: network }),
  } as unknown as LannerConfig
  // what is of the wrong form cannot be measured
  if (mistakes.length === 0) mistakes.push(...limitMistakes(config))
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  return config
}

/** Every setting with its meaning and default, for the documentation. */
export function describeConfig(): string {
  const lines = (of: Readonly<Record<string, Field<unknown>>>, before: string) =>
    Object.entries(of).map(([name, { meaning, preset }]) => {
      return `| \`${before}${name}\` | ${meaning} | ${preset === '' ? '' : `\`${preset}\``} |`
    })
  return [
    ...['| setting | meaning | default |', '|---|---|---|'],
    ...lines(fields, ''),
    '| `tags` | tags of everything, for bills and owners | `{}` |',
    ...lines(vpcFields, 'vpc.'),
    ...lines(clusterFields, 'clusters[].'),
  ].join('\n')
}

function readFields(
  known: Readonly<Record<string, Field<unknown>>>,
  given: Readonly<Record<string, unknown>>,
  where: string,
  mistakes: string[],
  more: readonly string[] = [],
): Record<string, unknown> {
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(known, key)) continue
    const nearest = nearestName(key, [...Object.keys(known), ...more])
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    mistakes.push(`${where}${key}: there is no such setting${hint}`)
  }
  const found: Record<string, unknown> = {}
  for (const [key, { preset, read }] of Object.entries(known)) {
    const value = Object.hasOwn(given, key) ? given[key] : presetValue(preset)
    if (value === undefined) continue
    const result = read(value)
    if (result instanceof Wrong) {
      const shown = JSON.stringify(value)
      mistakes.push(`${where}${key}: expected ${result.expected}, found ${shown}`)
    } else found[key] = result
  }
  return found
}

/** Of a default as it is written. */
function presetValue(preset: string): unknown {
  if (preset === '') return undefined
  return /^(true|false|\d+|\[\])$/.test(preset) ? JSON.parse(preset) : preset
}

function parsed(text_: string, mistakes: string[]): unknown {
  try {
    return JSON.parse(text_)
  } catch (error) {
    mistakes.push(`it is no JSON: ${(error as Error).message}`)
    return {}
  }
}

function asMap(value: unknown, where: string, mistakes: string[]): Record<string, unknown> {
  if (value === undefined) return {}
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  mistakes.push(`${where === '' ? '' : `${where}: `}expected a map`)
  return {}
}
