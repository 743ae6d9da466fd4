import { parsePriority, priorityNames } from '#engine'
import { positionOf, readYaml, type SourceFile, type YamlNode } from '#load'
import { outputsOf } from './falcosidekick-outputs.ts'

/** What became of a key of the configuration. */
export interface KeyFate {
  /** With those it lies below: `slack.webhookurl`. */
  readonly key: string
  readonly line: number
  readonly fate: 'converted' | 'reachable' | 'dropped'
  readonly why: string
}

export interface Conversion {
  /** Text of a routes file. */
  readonly routes: string
  /** Of every key, in the order of the file. */
  readonly fates: readonly KeyFate[]
  /** Secrets to create, and their members. */
  readonly secrets: Readonly<Record<string, readonly string[]>>
  /** Why there is no conversion. */
  readonly problems: readonly string[]
}

/** A value of the configuration, and where it stands. */
export interface Leaf {
  readonly key: string
  readonly line: number
  readonly text: string
}

/** A destination of ours for one of Falcosidekick's outputs. */
export interface Converted {
  readonly destination: Readonly<Record<string, string | readonly string[]>>
  /** Keys that are in it, and how. */
  readonly used: Readonly<Record<string, string>>
  readonly secret?: { readonly name: string; readonly members: readonly string[] }
}

/** Makes a routes file of a configuration of Falcosidekick (YAML). */
export function convertFalcosidekick(file: SourceFile, url: string): Conversion {
  const { documents, problems } = readYaml(file)
  const wrong = problems.map(({ message, place }) => {
    const { line, column } = positionOf(place)
    return `${file.name}:${line}:${column}: ${message}`
  })
  const [root] = documents
  if (root !== undefined && root.kind !== 'map' && !(root.kind === 'scalar' && root.isNull)) {
    wrong.push(`${file.name}:1:1: a configuration of Falcosidekick is a map`)
  }
  if (wrong.length > 0) return { routes: '', fates: [], secrets: {}, problems: wrong }
  const leaves = root === undefined ? [] : leavesOf(root, '')
  const outputs = groupsOf(leaves)
  const fates = new Map<Leaf, Omit<KeyFate, 'key' | 'line'>>()
  const destinations: Converted['destination'][] = []
  const routes: { name: string; priority: string | undefined; to: string }[] = []
  const secrets: Record<string, readonly string[]> = {}
  let isBridged = false
  for (const [output, own] of outputs) {
    const settings = Object.fromEntries(
      own.map(({ key, text }) => [key.slice(output.length + 1), text]),
    )
    const known = Object.hasOwn(outputsOf, output) ? outputsOf[output] : undefined
    const isOn = known?.isOn(settings) ?? false
    const converted = isOn ? known!.convert?.(settings) : undefined
    if (converted !== undefined) {
      destinations.push(converted.destination)
      const { secret } = converted
      if (secret !== undefined) secrets[secret.name] = secret.members
      const priority = priorityIn(settings['minimumpriority'])
      routes.push({ name: output, priority, to: String(converted.destination['destination']) })
    } else if (isOn) isBridged = true
    for (const leaf of own) {
      const key = leaf.key.slice(output.length + 1)
      fates.set(leaf, fateOf(key, leaf.text, { known, isOn, converted }))
    }
  }
  if (isBridged || destinations.length === 0) {
    destinations.push({ destination: 'falcosidekick', kind: 'falcosidekick', url })
    routes.push({ name: 'other outputs', priority: undefined, to: 'falcosidekick' })
  }
  return {
    routes: textOf(file.name, destinations, routes),
    fates: leaves.map((leaf) => ({
      ...{ key: leaf.key, line: leaf.line },
      ...(fates.get(leaf) ?? globalFate(leaf.key)),
    })),
    ...{ secrets, problems: [] },
  }
}

function fateOf(
  key: string,
  text: string,
  state: {
    readonly known: (typeof outputsOf)[string] | undefined
    readonly isOn: boolean
    readonly converted: Converted | undefined
  },
): Omit<KeyFate, 'key' | 'line'> {
  const { known, isOn, converted } = state
  if (known === undefined) {
    return { fate: 'dropped', why: 'this is no output of Falcosidekick that is known here' }
  }
  if (!isOn) return { fate: 'dropped', why: 'its output is not switched on' }
  if (converted === undefined) {
    return { fate: 'reachable', why: 'stays with Falcosidekick, which gets every alert' }
  }
  if (key === 'minimumpriority') {
    return { fate: 'converted', why: text === '' ? 'all priorities' : `priority: ${text}` }
  }
  if (Object.hasOwn(converted.used, key)) {
    return { fate: 'converted', why: converted.used[key]! }
  }
  const reasons: readonly (readonly [RegExp, string])[] = [
    [/^checkcert$/, 'certificates are always checked: name authorities instead'],
    [/^mutualtls$/, 'put "certificate" and "private-key" into the secret instead'],
    [/^maxconcurrentrequests$/, 'the rate limit takes its place'],
    [/^customheaders/, 'the headers are ours'],
    [/^(?:messageformat|outputformat|footer|icon|username|color)/, 'alerts have one content here'],
    [/^(?:expiresafter|dropevent|customseveritymap|extra)/, 'incidents end by themselves'],
  ]
  const reason = reasons.find(([pattern]) => pattern.test(key))?.[1]
  return { fate: 'dropped', why: reason ?? 'it has no counterpart here' }
}

/** Keys beside the outputs. */
function globalFate(key: string): Omit<KeyFate, 'key' | 'line'> {
  const reasons: readonly (readonly [RegExp, string])[] = [
    [/^(?:listenaddress|listenport|tlsserver)/, 'nothing listens here: alerts come over the bus'],
    [/^(?:mutualtls|tlsclient)/, 'certificates are settings of each destination'],
    [/^(?:customfields|templatedfields|customtags)/, 'rules add fields and tags themselves'],
    [/^(?:bracketreplacer|outputFieldFormat)/i, 'fields keep their names'],
    [/^(?:debug|logformat|prometheus)/, 'functions log and measure to CloudWatch'],
  ]
  const reason = reasons.find(([pattern]) => pattern.test(key))?.[1]
  return { fate: 'dropped', why: reason ?? 'it has no counterpart here' }
}

/** Settings by output; what stands beside the outputs belongs to none. */
function groupsOf(leaves: readonly Leaf[]): Map<string, Leaf[]> {
  const groups = new Map<string, Leaf[]>()
  for (const leaf of leaves) {
    const known = Object.keys(outputsOf)
      .filter((output) => leaf.key.toLowerCase().startsWith(`${output}.`))
      .sort((a, b) => b.length - a.length)[0]
    if (known !== undefined) groups.set(known, [...(groups.get(known) ?? []), leaf])
  }
  return groups
}

function leavesOf(node: YamlNode, path: string): Leaf[] {
  const { line } = positionOf(node.place)
  if (node.kind === 'scalar') return [{ key: path, line, text: node.isNull ? '' : node.text }]
  if (node.kind === 'seq') {
    const texts = node.items.map((item) => (item.kind === 'scalar' ? item.text : '…'))
    return [{ key: path, line, text: texts.join(',') }]
  }
  if (node.entries.length === 0) return [{ key: path, line, text: '' }]
  return node.entries.flatMap(({ key, keyPlace, value }) => {
    const full = path === '' ? key : `${path}.${key}`
    const found = leavesOf(value, full)
    // an empty value has no place of its own
    return found.map((leaf) =>
      leaf.key === full ? { ...leaf, line: positionOf(keyPlace).line } : leaf,
    )
  })
}

function priorityIn(text: string | undefined): string | undefined {
  const priority = parsePriority(text ?? '')
  return priority === undefined || priority === 7
    ? undefined
    : priorityNames[priority]!.toLowerCase()
}

function textOf(
  name: string,
  destinations: readonly Converted['destination'][],
  routes: readonly { name: string; priority: string | undefined; to: string }[],
): string {
  const all = routes.map(({ to }) => to)
  const lines = [
    `# From ${JSON.stringify(name)}: what Falcosidekick sent to every output, by its minimum priority.`,
    'match: all',
    '',
    'destinations:',
    ...destinations.flatMap((destination) =>
      Object.entries(destination).map(([key, value], at) => {
        const shown = typeof value === 'string' ? JSON.stringify(value) : JSON.stringify([...value])
        return `  ${at === 0 ? '-' : ' '} ${key}: ${shown}`
      }),
    ),
    '',
    'routes:',
    ...routes.map(({ name: route, priority, to }) => {
      const condition = priority === undefined ? '' : `priority: ${priority}, `
      return `  - {route: ${JSON.stringify(route)}, ${condition}to: ${JSON.stringify(to)}}`
    }),
    '',
    '# What fits no route goes here. It cannot be left out.',
    `default: {to: ${JSON.stringify(all[0])}}`,
    '',
  ]
  return lines.join('\n')
}
