import { nearestName } from '#events'
import { positionOf, readYaml, type SourceFile, type YamlNode } from '#load'
import { streamNamed } from '../sinks/kinesis/stream-name.ts'
import {
  type Group,
  isSetting,
  isStream,
  type Mistake,
  streamForm,
  type ValuesOf,
} from './setting.ts'
import { type Config, settings } from './settings.ts'

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  /** One line a mistake, with file, line and column. */
  | { readonly ok: false; readonly mistakes: readonly string[] }

/** Environment variables that stand in for what the file does not say. */
const variables = {
  LANNER_CLUSTER: ['cluster'],
  LANNER_NODE: ['node'],
  LANNER_STREAM: ['kinesis', 'stream'],
} as const

/**
 * Reads a configuration file (YAML; JSON is YAML, too). Unknown keys and values that cannot be are
 * mistakes, all of them told; what is not said is as `settings` has it.
 */
export function readConfig(
  file: SourceFile,
  environment: Readonly<Record<string, string | undefined>>,
): ConfigResult {
  const mistakes: string[] = []
  const tell = ({ node, message }: Mistake) => {
    const { line, column } = positionOf(node.place)
    mistakes.push(`${file.name}:${line}:${column}: ${message}`)
  }
  const { documents, problems } = readYaml(file)
  for (const { message, place } of problems) {
    const { line, column } = positionOf(place)
    mistakes.push(`${file.name}:${line}:${column}: ${message}`)
  }
  const [document, more] = documents
  if (more !== undefined) tell({ node: more, message: 'one document is enough' })
  const given = document !== undefined && isEmpty(document) ? undefined : document
  const config = readGroup(settings, given, '', tell) as Mutable<Config>
  for (const [name, path] of Object.entries(variables)) {
    const value = environment[name]
    if (value !== undefined && value !== '') fill(config, path, value)
  }
  // the file's own was checked at its place
  if (!isStream(config.kinesis.stream)) {
    mistakes.push(`LANNER_STREAM: ${streamForm} is wanted, not "${config.kinesis.stream}"`)
  }
  check(config, (message) => mistakes.push(`${file.name}: ${message}`))
  return mistakes.length === 0 ? { ok: true, config } : { ok: false, mistakes }
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

function isEmpty(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.isNull
}

function readGroup<G extends Group>(
  group: G,
  node: YamlNode | undefined,
  path: string,
  tell: (mistake: Mistake) => void,
): ValuesOf<G> {
  const values: Record<string, unknown> = {}
  if (node !== undefined && node.kind !== 'map') {
    tell({ node, message: `settings are wanted here: ${Object.keys(group).join(', ')}` })
  }
  const map = node?.kind === 'map' ? node : undefined
  for (const { key, value, keyPlace } of map?.entries ?? []) {
    if (Object.hasOwn(group, key)) continue
    const near = nearestName(key, Object.keys(group))
    const hint =
      near === undefined ? `one of ${Object.keys(group).join(', ')}` : `did you mean "${near}"?`
    tell({
      node: { ...value, place: keyPlace },
      message: `there is no setting "${path}${key}"; ${hint}`,
    })
  }
  for (const [name, entry] of Object.entries(group)) {
    const below = map?.get(name)
    if (!isSetting(entry)) values[name] = readGroup(entry, below, `${path}${name}.`, tell)
    else
      values[name] = below === undefined ? entry.preset : (entry.read(below, tell) ?? entry.preset)
  }
  return values as ValuesOf<G>
}

/** Sets what the file left empty. */
function fill(config: object, path: readonly string[], value: string): void {
  const [name, ...rest] = path as [string, ...string[]]
  const place = config as Record<string, unknown>
  if (rest.length > 0) fill(place[name] as object, rest, value)
  else if (place[name] === '') place[name] = value
}

/** What only several settings together get wrong. */
function check(config: Config, mistake: (message: string) => void): void {
  if (config.rules.paths.length === 0)
    mistake('rules.paths names no rules: nothing would be detected')
  if (config.kinesis.stream === '' && config.alerts.mode === 'off') {
    mistake('neither kinesis.stream nor alerts.mode is set: nothing would leave the node')
  }
  if (config.kinesis.stream === '' && config.alerts.mode === 'when-cloud-unreachable') {
    mistake(
      'alerts.mode is when-cloud-unreachable, but there is no kinesis.stream; set it to always',
    )
  }
  const ofArn = streamNamed(config.kinesis.stream)?.region
  const { region } = config.kinesis
  if (ofArn !== undefined && region !== '' && region !== ofArn) {
    mistake(`kinesis.region is ${region}, but the stream of kinesis.stream is in ${ofArn}`)
  }
  if (config.identity.instance === 'node' && config.kubernetes.mode === 'off') {
    mistake('identity.instance is node, but kubernetes.mode is off: nobody could be asked')
  }
  const { stdout, file, http } = config.alerts
  if (config.alerts.mode !== 'off' && !stdout && file.path === '' && http.url === '') {
    mistake(
      'alerts.mode is on, but alerts go nowhere: set alerts.stdout, alerts.file.path or alerts.http.url',
    )
  }
}
