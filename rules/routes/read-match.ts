import { parsePriority, priorityNames } from '#engine'
import type { YamlScalar } from '../load/yaml-tree.ts'
import { outcomes, type RouteMatch, responseModes, responseStates, subjects } from './route.ts'
import { isZone, parseClock, parseDays, type Schedule, weekdays } from './schedule.ts'
import type { ShapeReader } from './shape-reader.ts'

const textKeys = ['rule', 'tag', 'cluster', 'namespace', 'workload', 'source', 'state'] as const
/** Of responses: other names than these would never fit. */
const responseKeys = { outcome: outcomes, mode: responseModes } as const

/** Keys of a route that say what it fits. */
export const matchKeys = [
  ...(['about', 'priority', 'label', 'time', 'outcome', 'mode'] as const),
  ...textKeys,
] as const

/** What may be told of in the rules: routes that name others would never fit. */
export interface KnownNames {
  readonly rules: readonly string[]
  readonly tags: readonly string[]
}

/** Reads what a route fits. */
export function readMatch(shape: ShapeReader, known: KnownNames | undefined): RouteMatch {
  const about = shape
    .texts('about')
    ?.flatMap((node) => shape.known(node, subjects, 'subject') ?? [])
  const priority = readPriority(shape)
  const match: Record<string, unknown> = {
    about: about ?? ['incident'],
    ...(priority !== undefined && { priority }),
  }
  for (const key of textKeys) {
    const nodes = shape.texts(key)
    if (nodes === undefined) continue
    match[key] = nodes.map(({ text }) => text)
    if (key === 'state' && about?.every((one) => one === 'response') === true) {
      for (const node of nodes) checkName(shape, node, responseStates, 'response state')
    }
    // what answers is called otherwise than what detects
    if (known === undefined || about?.includes('response') === true) continue
    if (key === 'rule') for (const node of nodes) checkName(shape, node, known.rules, 'rule')
    if (key === 'tag') for (const node of nodes) checkName(shape, node, known.tags, 'tag')
  }
  for (const [key, names] of Object.entries(responseKeys)) {
    const nodes = shape.texts(key)
    if (nodes === undefined) continue
    match[key] = nodes.map(({ text }) => text)
    for (const node of nodes) checkName(shape, node, names, key)
    if (about?.includes('response') !== true) {
      shape.node.invalid(`only responses have ${key}: add about: response`, shape.node.place(key))
    }
  }
  const label = readLabels(shape)
  if (label !== undefined) match['label'] = label
  const time = readSchedule(shape)
  if (time !== undefined) match['time'] = time
  return match as unknown as RouteMatch
}

function readPriority({ node }: ShapeReader): number | undefined {
  const text = node.text('priority')
  if (text === undefined) return undefined
  const priority = parsePriority(text.text)
  if (priority !== undefined) return priority
  return node.invalid(
    `there is no priority "${text.text}": one of ${priorityNames.join(', ')}`,
    text.place,
  )
}

function checkName(
  shape: ShapeReader,
  node: YamlScalar,
  names: readonly string[],
  what: string,
): void {
  if (!node.text.includes('*')) shape.known(node, names, what)
}

function readLabels(shape: ShapeReader): Record<string, readonly string[]> | undefined {
  const map = shape.map('label')
  if (map === undefined) return undefined
  const inner = shape.within(map, 'labels')
  const found = map.entries.flatMap(({ key }) => {
    const texts = inner.texts(key)
    return texts === undefined ? [] : [[key, texts.map(({ text }) => text)] as const]
  })
  return Object.fromEntries(found)
}

function readSchedule(shape: ShapeReader): Schedule | undefined {
  const map = shape.map('time')
  if (map === undefined) return undefined
  const inner = shape.within(map, 'time')
  const { node } = inner
  inner.keys(['zone', 'days', 'hours', 'outside'])
  const zone = node.required('zone')
  if (zone !== undefined && !isZone(zone.text)) {
    node.invalid(`there is no time zone "${zone.text}": one such as Europe/Berlin`, zone.place)
  }
  const days = inner.texts('days')?.flatMap((day) => {
    const read = parseDays(day.text)
    if (read !== undefined) return read
    node.invalid(`"${day.text}" is no day: mon to sun, or mon-fri`, day.place)
    return []
  })
  const hours = node.text('hours')
  const [from, to] = hours === undefined ? [0, 1440] : (readHours(hours) ?? [])
  if (from === undefined || to === undefined) {
    node.invalid('hours are like 09:00-17:30', hours!.place)
  }
  const outside = node.bool('outside') ?? false
  if (zone === undefined || from === undefined || to === undefined) return undefined
  return { zone: zone.text, days: days ?? weekdays, from, to, outside }
}

function readHours({ text }: YamlScalar): readonly [number, number] | undefined {
  const [first = '', last = '', ...more] = text.split('-').map((part) => part.trim())
  const [from, to] = [parseClock(first), parseClock(last)]
  if (from === undefined || to === undefined || from === to || more.length > 0) return undefined
  return [from % 1440, to]
}
