import { nearestName } from '#events'
import type { Place } from '../load/diagnostic.ts'
import type { NodeReader } from '../load/node-reader.ts'
import { parseBool, parseUnsigned } from '../load/values.ts'
import type { YamlNode } from '../load/yaml-tree.ts'
import { isCidr, labelKeyProblem, labelValueProblem } from './names.ts'
import type { Action, MinHealthy } from './policy.ts'

/** A parameter as written: of several blocks of one name the last one that gives it counts. */
export interface Given {
  readonly node: YamlNode
  readonly keyPlace: Place
}

export type Parameters = ReadonlyMap<string, Given>

/** Why Lanner does not do what Talon does under this name, and what it does instead. */
const unsupported: Readonly<Record<string, string>> = {
  'kubernetes:exec':
    'it runs a shell inside the victim with text of the attacker in its environment',
  'kubernetes:script': 'it writes and runs a script inside the victim',
  'kubernetes:download': 'it runs a program inside the victim; logs and the evidence bundle do not',
  'kubernetes:tcpdump': 'it starts a privileged container beside the victim',
  'kubernetes:sysdig': "it starts a privileged container in the victim's namespace",
  'kubernetes:delete': 'it deletes any object that an audit event names',
  'kubernetes:drain': 'it evicts every pod of the node; cordon and evict do it step by step',
  'calico:networkpolicy': 'Calico is not supported yet; quarantine makes a NetworkPolicy',
  'cilium:networkpolicy': 'Cilium is not supported yet; quarantine makes a NetworkPolicy',
  'gcp:function': 'Lanner runs on AWS; aws:lambda invokes a function there',
}

const parameterNames: Readonly<Record<string, readonly string[]>> = {
  'kubernetes:describe': [],
  'kubernetes:log': ['tail_lines', 'previous'],
  'kubernetes:label': ['labels', 'level'],
  'kubernetes:annotation': ['annotations', 'level'],
  'kubernetes:networkpolicy': ['allow_cidr', 'allow_namespaces', 'hard'],
  'lanner:quarantine': ['allow_cidr', 'allow_namespaces', 'hard'],
  'kubernetes:cordon': [],
  'kubernetes:uncordon': [],
  'kubernetes:evict': ['grace_period_seconds'],
  'kubernetes:terminate': [
    ...['grace_period_seconds', 'ignore_daemonsets', 'ignore_statefulsets'],
    ...['ignore_standalone_pods', 'min_healthy_replicas'],
  ],
  'aws:lambda': ['aws_lambda_name', 'aws_lambda_alias_or_version', 'aws_lambda_invocation_type'],
  'lanner:webhook': ['url', 'secret'],
}
export const actionners = [...Object.keys(parameterNames), ...Object.keys(unsupported)]

export interface ReadAction {
  readonly action: Action
  /** What of it cannot be honoured, each with its place. */
  readonly left: readonly { readonly what: string; readonly place: Place }[]
}

/** Reads an action of a known name with its merged parameters. Mistakes go to the reader. */
export function readAction(
  reader: NodeReader,
  actionner: string,
  place: Place,
  given: Parameters,
): ReadAction | undefined {
  const reason = Object.hasOwn(unsupported, actionner) ? unsupported[actionner] : undefined
  if (reason !== undefined) {
    return {
      action: { kind: 'unsupported', actionner, reason },
      left: [{ what: `${actionner} is not done: ${reason}`, place }],
    }
  }
  const known = Object.hasOwn(parameterNames, actionner) ? parameterNames[actionner] : undefined
  if (known === undefined) {
    const nearest = nearestName(actionner, actionners)
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    return reader.error('LOAD_ERR_VALIDATE', `there is no actionner "${actionner}"${hint}`, place)
  }
  const left = [...given].flatMap(([name, { keyPlace }]) => {
    if (known.includes(name)) return []
    const nearest = nearestName(name, known)
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    return [{ what: `${actionner} has no parameter ${name}${hint}`, place: keyPlace }]
  })
  const values = new ParameterReader(reader, given, left)
  const action = actionOf(actionner, values, place)
  if (actionner === 'kubernetes:networkpolicy') {
    const what =
      'kubernetes:networkpolicy isolates the one pod, both ways: not the egress of its whole workload'
    left.push({ what, place })
  }
  return action === undefined ? undefined : { action, left: values.left }
}

function actionOf(actionner: string, values: ParameterReader, place: Place): Action | undefined {
  switch (actionner) {
    case 'kubernetes:describe':
      return { kind: 'describe' }
    case 'kubernetes:log': {
      const tailLines = values.number('tail_lines', 1000, 1, 100_000)
      return { kind: 'logs', tailLines, previous: values.bool('previous', true) }
    }
    case 'kubernetes:label':
    case 'kubernetes:annotation': {
      const what = actionner === 'kubernetes:label' ? 'labels' : 'annotations'
      const level = values.oneOf('level', ['pod', 'node'], 'pod')
      return { kind: 'label', what, level, set: values.labels(what, place) }
    }
    case 'kubernetes:networkpolicy':
    case 'lanner:quarantine':
      return {
        kind: 'quarantine',
        allowCidrs: values.list('allow_cidr', (text) =>
          isCidr(text) ? undefined : `"${text}" is no address range like 10.0.0.0/8`,
        ),
        allowNamespaces: values.list('allow_namespaces', (text) =>
          /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)
            ? undefined
            : `"${text}" is no name of a namespace`,
        ),
        hard: values.bool('hard', true),
      }
    case 'kubernetes:cordon':
      return { kind: 'cordon' }
    case 'kubernetes:uncordon':
      return { kind: 'uncordon' }
    case 'kubernetes:evict':
      return { kind: 'evict', graceSeconds: values.grace(undefined) }
    case 'kubernetes:terminate':
      return {
        kind: 'terminate',
        graceSeconds: values.grace(1)!,
        ignoreDaemonSets: values.bool('ignore_daemonsets', false),
        ignoreStatefulSets: values.bool('ignore_statefulsets', false),
        ignoreStandalonePods: values.bool('ignore_standalone_pods', true),
        minHealthy: values.minHealthy(),
      }
    case 'aws:lambda':
      return {
        kind: 'lambda',
        name: values.required('aws_lambda_name', place) ?? '',
        qualifier: values.text('aws_lambda_alias_or_version') ?? '$LATEST',
        invocation: values.oneOf(
          'aws_lambda_invocation_type',
          ['RequestResponse', 'Event', 'DryRun'],
          'RequestResponse',
        ),
      }
    case 'lanner:webhook':
      return {
        kind: 'webhook',
        url: values.url(place),
        secret: values.text('secret'),
      }
    default:
      return undefined
  }
}

class ParameterReader {
  readonly #reader: NodeReader
  readonly #given: Parameters
  readonly left: { what: string; place: Place }[]

  constructor(reader: NodeReader, given: Parameters, left: { what: string; place: Place }[]) {
    this.#reader = reader
    this.#given = given
    this.left = left
  }

  text(name: string): string | undefined {
    const node = this.#given.get(name)?.node
    if (node === undefined) return undefined
    if (node.kind === 'scalar' && !node.isNull && node.text !== '') return node.text
    return this.#reader.invalid(`${name} must be a text`, node.place)
  }

  required(name: string, place: Place): string | undefined {
    if (this.#given.has(name)) return this.text(name)
    return this.#reader.invalid(`${name} is missing`, place)
  }

  bool(name: string, otherwise: boolean): boolean {
    const text = this.text(name)
    if (text === undefined) return otherwise
    const value = parseBool(text)
    if (value === undefined) {
      this.#reader.invalid(`${name} must be true or false, not "${text}"`, this.#place(name))
    }
    return value ?? otherwise
  }

  number(name: string, otherwise: number, least: number, most: number): number {
    const text = this.text(name)
    if (text === undefined) return otherwise
    const value = parseUnsigned(text)
    if (value === undefined || value < least || value > most) {
      const message = `${name} is a whole number from ${least} to ${most}, not "${text}"`
      this.#reader.invalid(message, this.#place(name))
    }
    return value ?? otherwise
  }

  /** A grace of 0 takes the object away without waiting for the container to end. */
  grace(otherwise: number | undefined): number | undefined {
    const text = this.text('grace_period_seconds')
    if (text === undefined) return otherwise
    const value = this.number('grace_period_seconds', 1, 0, 3600)
    if (value > 0) return value
    const what = 'grace_period_seconds 0 becomes 1: with 0 the container may run on'
    this.left.push({ what, place: this.#place('grace_period_seconds') })
    return 1
  }

  oneOf<T extends string>(name: string, known: readonly T[], otherwise: T): T {
    const text = this.text(name)
    if (text === undefined) return otherwise
    const value = known.find((each) => each === text)
    if (value === undefined) {
      this.#reader.invalid(
        `${name} is one of ${known.join(', ')}, not "${text}"`,
        this.#place(name),
      )
    }
    return value ?? otherwise
  }

  list(name: string, problemOf: (text: string) => string | undefined): string[] {
    const node = this.#given.get(name)?.node
    if (node === undefined) return []
    if (node.kind !== 'seq') {
      this.#reader.invalid(`${name} must be a sequence`, node.place)
      return []
    }
    return node.items.flatMap((item) => {
      if (item.kind !== 'scalar' || item.isNull) {
        this.#reader.invalid(`${name} holds texts only`, item.place)
        return []
      }
      const problem = problemOf(item.text)
      if (problem !== undefined) this.#reader.invalid(problem, item.place)
      return problem === undefined ? [item.text] : []
    })
  }

  labels(name: 'labels' | 'annotations', place: Place): Record<string, string | null> {
    const node = this.#given.get(name)?.node
    if (node?.kind !== 'map' || node.entries.length === 0) {
      this.#reader.invalid(`${name} is missing: a map`, node?.place ?? place)
      return {}
    }
    const set: [string, string | null][] = []
    for (const { key, keyPlace, value } of node.entries) {
      if (value.kind !== 'scalar') {
        this.#reader.invalid(`${name} holds texts only`, value.place)
        continue
      }
      const wrongKey = labelKeyProblem(key)
      if (wrongKey !== undefined) this.#reader.invalid(wrongKey, keyPlace)
      const wrongValue = name === 'labels' ? labelValueProblem(value.text) : undefined
      if (wrongValue !== undefined) this.#reader.invalid(wrongValue, value.place)
      set.push([key, value.text === '' ? null : value.text])
    }
    return Object.fromEntries(set)
  }

  minHealthy(): MinHealthy | undefined {
    const text = this.text('min_healthy_replicas')
    if (text === undefined) return undefined
    const [, digits = '', percent = ''] = /^(\d{1,6})(%?)$/.exec(text) ?? []
    const value = Number(digits)
    if (digits === '' || (percent !== '' && value > 100)) {
      const message = `min_healthy_replicas is a number like 2 or a share like 50%, not "${text}"`
      return this.#reader.invalid(message, this.#place('min_healthy_replicas'))
    }
    return percent === '' ? { pods: value } : { percent: value }
  }

  url(place: Place): string {
    const text = this.required('url', place)
    if (text === undefined) return ''
    if (/^https:\/\/[^\s/?#@]+(?:[/?][^\s#]*)?$/.test(text)) return text
    this.#reader.invalid(
      `url is an https address without name and password, not "${text}"`,
      this.#place('url'),
    )
    return ''
  }

  #place(name: string): Place {
    return this.#given.get(name)!.node.place
  }
}
