import { positionOf } from '#load'
import type { YamlScalar } from '../load/yaml-tree.ts'
import {
  commonKeys,
  type Destination,
  destinationKinds,
  kindSettings,
  type Reach,
  type Setting,
  secretOf,
} from './destination.ts'
import { meant, type ShapeReader } from './shape-reader.ts'

const second = 1000
const day = 86_400 * second

/** Reads one destination; `undefined` when it is so wrong that nothing is known of it. */
export function readDestination(shape: ShapeReader): Destination | undefined {
  const { node } = shape
  const name = node.required('destination')
  if (name !== undefined && !/^[\w.-]{1,64}$/.test(name.text)) {
    node.invalid('a destination is called by letters, digits, ".", "-" and "_"', name.place)
  }
  const kindNode = node.required('kind')
  const kind = kindNode && shape.known(kindNode, destinationKinds, 'kind of destination')
  if (name === undefined || kind === undefined) return undefined
  const known = kindSettings[kind]
  const urlKeys = known.urls === 'none' ? [] : known.urls === 'many' ? ['urls'] : ['url']
  const secretKeys = known.secret.length > 0 ? ['secret'] : []
  const webKeys = known.reach[0] === 'aws' ? [] : ['authorities']
  const settingKeys = Object.keys(known.settings)
  shape.keys([...commonKeys, ...urlKeys, ...secretKeys, ...webKeys, ...settingKeys])
  const reach = shape.oneOf('reach', known.reach, known.reach[0]!)
  const settings = readSettings(shape, known.settings)
  const secret = node.text('secret')
  if (secret !== undefined && !secretOf(kind).test(secret.text)) {
    const called = `a secret of this kind is called lanner/notify/${kind} or lanner/notify/${kind}/NAME`
    node.invalid(`${called}: its function may read no others`, secret.place)
  }
  if (known.needsSecret && secret === undefined && !node.has('secret')) {
    const members = known.secret.map((member) => `"${member}"`).join(', ')
    node.invalid(`secret is missing: one in Secrets Manager, of ${members}`, node.context.place)
  }
  const authorities = node.text('authorities')
  if (authorities !== undefined && !authorities.text.includes('-----BEGIN CERTIFICATE-----')) {
    node.invalid('authorities are certificates in PEM', authorities.place)
  }
  return {
    name: name.text,
    kind,
    reach,
    ...(secret !== undefined && { secret: secret.text }),
    settings,
    urls: readUrls(shape, known.urls, reach),
    rate: readRate(shape, known.rate),
    timeoutMs: shape.duration('timeout', 10 * second, second, 60 * second),
    giveUpMs: shape.duration('give-up', day, 60 * second, 4 * day),
    ...(authorities !== undefined && { authorities: authorities.text }),
    at: positionOf(name.place),
  }
}

function readSettings(
  { node }: ShapeReader,
  known: Readonly<Record<string, Setting>>,
): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [key, setting] of Object.entries(known)) {
    const value = setting.required ? node.required(key) : node.text(key)
    const text = value?.text ?? setting.default
    if (text === undefined) continue
    found[key] = text
    if (value === undefined) continue
    const { oneOf, form } = setting
    if (oneOf !== undefined && !oneOf.includes(text)) {
      const hint = meant(text, oneOf) || `: one of ${oneOf.join(', ')}`
      node.invalid(`${key} cannot be "${text}"${hint}`, value.place)
    } else if (form !== undefined && !form[0].test(text)) {
      node.invalid(`${key} is ${form[1]}, not "${text}"`, value.place)
    }
  }
  return found
}

function readUrls(
  shape: ShapeReader,
  count: 'none' | 'one' | 'optional' | 'many',
  reach: Reach,
): readonly string[] {
  if (count === 'none') return []
  const key = count === 'many' ? 'urls' : 'url'
  const nodes = shape.texts(key)
  if (nodes === undefined) {
    if (count !== 'optional' && !shape.node.has(key)) {
      shape.node.invalid(`${key} is missing`, shape.node.context.place)
    }
    return []
  }
  if (count !== 'many' && nodes.length > 1) {
    shape.node.invalid(`${key} is one URL`, shape.node.place(key))
  }
  return nodes.flatMap((node) => readUrl(shape, node, reach) ?? [])
}

/** Without the slash at its end. */
function readUrl({ node }: ShapeReader, { text, place }: YamlScalar, reach: Reach) {
  if (!URL.canParse(text)) return node.invalid(`"${text}" is no URL`, place)
  const url = new URL(text)
  const isHere = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return node.invalid(`a URL here begins with https://, not ${url.protocol}`, place)
  }
  if (url.username !== '' || url.password !== '') {
    return node.invalid('a login belongs into the secret, not into the URL', place)
  }
  if (url.protocol === 'http:' && reach !== 'vpc' && !isHere) {
    return node.invalid('in the internet it must be https://', place)
  }
  return text.replace(/\/+$/, '')
}

const units = { s: second, m: 60 * second, h: 3600 * second } as const

function readRate({ node }: ShapeReader, otherwise: string): Destination['rate'] {
  const given = node.text('rate')
  const parse = (text: string) => {
    const match = /^(\d{1,5})\/([smh])$/.exec(text)
    if (match === null || Number(match[1]) === 0) return undefined
    return { messages: Number(match[1]), perMs: units[match[2] as keyof typeof units] }
  }
  const rate = given === undefined ? undefined : parse(given.text)
  if (given !== undefined && rate === undefined) {
    node.invalid(`rate is like 1/s, 30/m or 500/h, not "${given.text}"`, given.place)
  }
  return rate ?? parse(otherwise)!
}
