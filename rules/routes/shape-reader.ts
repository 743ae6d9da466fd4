import { nearestName } from '#events'
import type { NodeReader } from '../load/node-reader.ts'
import { parseDuration } from '../load/read-duration.ts'
import type { YamlMap, YamlNode, YamlScalar } from '../load/yaml-tree.ts'

/** Reads the values that routes files have beside those that rules files have. */
export class ShapeReader {
  readonly node: NodeReader

  constructor(node: NodeReader) {
    this.node = node
  }

  within(map: YamlMap, type: string, name = ''): ShapeReader {
    return new ShapeReader(this.node.nested(map, this.node.within(type, map, name)))
  }

  /** Refuses keys that mean nothing here, and keys given twice. */
  keys(known: readonly string[]): void {
    const seen = new Set<string>()
    for (const { key, keyPlace } of this.node.map.entries) {
      if (seen.has(key)) this.node.invalid(`${key} is given twice`, keyPlace)
      else if (known.includes(key)) seen.add(key)
      else this.node.invalid(`there is no key "${key}" here${meant(key, known)}`, keyPlace)
    }
  }

  /** One text or a list of them; `undefined` when absent. */
  texts(key: string): readonly YamlScalar[] | undefined {
    const found = this.node.map.get(key)
    if (found === undefined) return undefined
    if (found.kind === 'scalar') {
      const text = this.node.text(key)
      return text === undefined ? undefined : [text]
    }
    const texts = this.node.texts(key, key)
    if (texts?.length === 0) this.node.invalid(`${key} must not be empty`, found.place)
    return texts
  }

  oneOf<T extends string>(key: string, known: readonly T[], otherwise: T): T {
    const node = this.node.text(key)
    if (node === undefined) return otherwise
    return this.known(node, known, key) ?? otherwise
  }

  /** The text as one of the known ones; reports others with the nearest. */
  known<T extends string>(
    { text, place }: YamlScalar,
    known: readonly T[],
    what: string,
  ): T | undefined {
    const found = known.find((one) => one === text)
    if (found !== undefined) return found
    const hint = meant(text, known) || `: one of ${known.slice(0, 12).join(', ')}`
    return this.node.invalid(`there is no ${what} "${text}"${hint}`, place)
  }

  /** Milliseconds of a duration. */
  duration(key: string, otherwise: number, least: number, most: number): number {
    const node = this.node.text(key)
    if (node === undefined) return otherwise
    const nanoseconds = parseDuration(node.text)
    if (nanoseconds === undefined) {
      this.node.invalid(`${key} is a duration like 10s, 5m or 24h, not "${node.text}"`, node.place)
      return otherwise
    }
    const ms = Number(nanoseconds / 1_000_000n)
    if (ms >= least && ms <= most) return ms
    const range = `${least / 1000}s to ${most / 1000}s`
    this.node.invalid(`${key} is ${range}, not ${node.text}`, node.place)
    return otherwise
  }

  /** The maps of a sequence. */
  maps(key: string, what: string): readonly YamlMap[] {
    const seq = this.node.seq(key)
    return (seq?.items ?? []).filter((item): item is YamlMap => this.isMap(item, what))
  }

  map(key: string): YamlMap | undefined {
    const found = this.node.map.get(key)
    return found !== undefined && this.isMap(found, key) ? found : undefined
  }

  isMap(node: YamlNode, what: string): node is YamlMap {
    if (node.kind === 'map') return true
    this.node.invalid(`${what} must be a map`, node.place)
    return false
  }
}

export function meant(name: string, candidates: Iterable<string>): string {
  const nearest = nearestName(name, candidates)
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`
}
