import { nearestName } from '#events'
import type { LoadCode } from './codes.ts'
import {
  type Context,
  type Diagnostic,
  type DiagnosticDetails,
  makeDiagnostic,
  type Place,
} from './diagnostic.ts'
import { parseBool, parseUnsigned } from './values.ts'
import type { YamlMap, YamlNode, YamlScalar, YamlSeq } from './yaml-tree.ts'

export type Report = (diagnostic: Diagnostic) => void

/** Reads values out of one map of a rules file, and reports what has the wrong shape. */
export class NodeReader {
  readonly map: YamlMap
  readonly context: Context
  readonly #report: Report
  failed = false

  constructor(map: YamlMap, context: Context, report: Report) {
    this.map = map
    this.context = context
    this.#report = report
  }

  /** A reader for another map, with the same receiver of mistakes. */
  nested(map: YamlMap, context: Context): NodeReader {
    return new NodeReader(map, context, this.#report)
  }

  within(type: string, node: YamlNode, name = ''): Context {
    return { parent: this.context, type, name, place: node.place }
  }

  error(code: LoadCode, message: string, place: Place, context = this.context): undefined {
    this.failed = true
    this.#report(makeDiagnostic(code, message, place, context))
    return undefined
  }

  warn(code: LoadCode, message: string, place: Place, details?: DiagnosticDetails): void {
    this.#report(makeDiagnostic(code, message, place, this.context, details))
  }

  invalid(message: string, place: Place, context = this.context): undefined {
    return this.error('LOAD_ERR_YAML_VALIDATE', message, place, context)
  }

  has(key: string): boolean {
    return this.map.get(key) !== undefined
  }

  place(key: string): Place {
    return this.map.get(key)?.place ?? this.map.place
  }

  /** A text that must not be empty; `undefined` when absent or (reported) wrong. */
  text(key: string): YamlScalar | undefined {
    const node = this.map.get(key)
    if (node === undefined) return undefined
    const context = this.within('value for', node, key)
    if (node.kind !== 'scalar') return this.invalid(`${key} must be a text`, node.place, context)
    if (node.isNull || node.text === '') {
      return this.invalid(`${key} must not be empty`, keyPlace(this.map, key), context)
    }
    return node
  }

  required(key: string): YamlScalar | undefined {
    if (this.has(key)) return this.text(key)
    return this.invalid(`${key} is missing`, this.context.place)
  }

  bool(key: string): boolean | undefined {
    const node = this.text(key)
    if (node === undefined) return undefined
    const value = parseBool(node.text)
    if (value !== undefined) return value
    return this.invalid(`${key} must be true or false, not "${node.text}"`, node.place)
  }

  unsigned(key: string): number | undefined {
    const node = this.text(key)
    if (node === undefined) return undefined
    const value = parseUnsigned(node.text)
    if (value !== undefined) return value
    return this.invalid(`${key} must be a whole number, not "${node.text}"`, node.place)
  }

  seq(key: string): YamlSeq | undefined {
    const node = this.map.get(key)
    if (node === undefined) return undefined
    if (node.kind === 'seq') return node
    return this.invalid(
      `${key} must be a sequence`,
      node.kind === 'scalar' && node.isNull ? keyPlace(this.map, key) : node.place,
    )
  }

  /** A sequence of texts; nulls and collections among them are reported. */
  texts(key: string, type: string): readonly YamlScalar[] | undefined {
    const seq = this.seq(key)
    if (seq === undefined) return undefined
    const texts: YamlScalar[] = []
    for (const item of seq.items) {
      if (item.kind === 'scalar' && !item.isNull) texts.push(item)
      else this.invalid(`${key} holds texts only`, item.place, this.within(type, item))
    }
    return texts
  }

  /** Warns of keys that mean nothing here. */
  unknownKeys(known: readonly string[]): void {
    for (const { key, keyPlace } of this.map.entries) {
      if (known.includes(key)) continue
      const nearest = nearestName(key, known)
      const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
      this.warn('LOAD_UNKNOWN_KEY', `the key "${key}" has no meaning here${hint}`, keyPlace)
    }
  }
}

function keyPlace(map: YamlMap, key: string): Place {
  return map.entries.find((entry) => entry.key === key)?.keyPlace ?? map.place
}
