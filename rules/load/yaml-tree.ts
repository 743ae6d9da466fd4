import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml'
import type { Place, SourceFile } from './diagnostic.ts'
import { SourcedText } from './sourced-text.ts'

/** YAML as rules need it: scalars are text, whatever they look like, and everything has a place. */
export type YamlNode = YamlScalar | YamlSeq | YamlMap

export interface YamlScalar {
  readonly kind: 'scalar'
  readonly text: string
  /** Empty, `~` or `null` without quotes. */
  readonly isNull: boolean
  readonly place: Place
  /** The text with the place of each of its characters. */
  sourced(): SourcedText
}

export interface YamlSeq {
  readonly kind: 'seq'
  readonly items: readonly YamlNode[]
  readonly place: Place
}

export interface YamlMap {
  readonly kind: 'map'
  readonly entries: readonly YamlEntry[]
  readonly place: Place
  /** The value of a key; of keys given twice the first counts. */
  get(key: string): YamlNode | undefined
}

export interface YamlEntry {
  readonly key: string
  readonly keyPlace: Place
  readonly value: YamlNode
}

export interface YamlProblem {
  readonly message: string
  readonly place: Place
}

/** The documents of a file, and all syntax errors. */
export function readYaml(file: SourceFile): {
  readonly documents: readonly YamlNode[]
  readonly problems: readonly YamlProblem[]
} {
  const deep = tooDeep(file.text)
  if (deep !== undefined) {
    const place = { file, at: deep, end: deep + 1 }
    return { documents: [], problems: [{ message: 'the YAML is nested too deep', place }] }
  }
  const parsed = parseAllDocuments(file.text, {
    schema: 'failsafe',
    uniqueKeys: false,
    strict: false,
    prettyErrors: false,
    logLevel: 'silent',
  }) as Document.Parsed[]
  const reader = new TreeReader(file)
  const documents: YamlNode[] = []
  for (const document of parsed) {
    for (const { message, pos } of document.errors) {
      reader.problems.push({ message, place: { file, at: pos[0], end: pos[1] } })
    }
    if (document.errors.length > 0) continue
    reader.document = document
    documents.push(reader.node(document.contents, 0))
  }
  return { documents, problems: reader.problems }
}

/** No rules file opens so many brackets at once: the parser would exhaust time and stack on them. */
const mostOpen = 1000

/** Where brackets (or dashes of a line) are nested beyond reason; `undefined` when they are not. */
function tooDeep(text: string): number | undefined {
  let open = 0
  let dashes = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 91 || code === 123) open += 1
    else if (code === 93 || code === 125) open -= open > 0 ? 1 : 0
    else if (code === 45 || code === 63) dashes += 1
    else if (code !== 32) dashes = 0
    if (open > mostOpen || (dashes > mostOpen && text.charCodeAt(at + 1) === 32)) return at
  }
  return undefined
}

class TreeReader {
  readonly file: SourceFile
  readonly problems: YamlProblem[] = []
  document: Document.Parsed | undefined
  readonly #targets = new Map<unknown, YamlNode | 'open'>()

  constructor(file: SourceFile) {
    this.file = file
  }

  /** What an alias stands for: read once however often it is named, and never within itself. */
  #target(alias: Alias, at: number, depth: number): YamlNode {
    const start = alias.range?.[0] ?? at
    const target = this.document === undefined ? undefined : alias.resolve(this.document)
    if (target === undefined) return nullScalar({ file: this.file, at: start, end: start })
    const known = this.#targets.get(target)
    if (known === 'open') {
      const place = { file: this.file, at: start, end: alias.range?.[1] ?? start }
      this.problems.push({ message: `"*${alias.source}" stands within itself`, place })
      return nullScalar(place)
    }
    if (known !== undefined) return known
    this.#targets.set(target, 'open')
    const node = this.node(target, start, depth + 1)
    this.#targets.set(target, node)
    return node
  }

  node(node: unknown, at: number, depth = 0): YamlNode {
    const { file } = this
    if (depth > 100) {
      const place = { file, at, end: at }
      this.problems.push({ message: 'the YAML is nested too deep', place })
      return nullScalar(place)
    }
    if (isAlias(node)) {
      return this.#target(node, at, depth)
    }
    const range = (node as { range?: [number, number, number] | null } | null)?.range
    const place = { file, at: range?.[0] ?? at, end: range?.[1] ?? at }
    if (isScalar(node)) return scalar(node, place)
    if (isSeq(node)) {
      const items = node.items.map((item) => this.node(item, place.at, depth + 1))
      return { kind: 'seq', items, place }
    }
    if (isMap(node)) {
      const entries = node.items.map(({ key, value }): YamlEntry => {
        const keyNode = this.node(key, place.at, depth + 1)
        const keyText = keyNode.kind === 'scalar' ? keyNode.text : ''
        const valueNode = this.node(value, keyNode.place.end, depth + 1)
        return { key: keyText, keyPlace: keyNode.place, value: valueNode }
      })
      const get = (wanted: string) => entries.find(({ key }) => key === wanted)?.value
      return { kind: 'map', entries, place, get }
    }
    return nullScalar(place)
  }
}

function nullScalar(place: Place): YamlScalar {
  return { kind: 'scalar', text: '', isNull: true, place, sourced: () => SourcedText.at('', place) }
}

function scalar(node: { value: unknown; type?: string }, place: Place): YamlScalar {
  const text = String(node.value ?? '')
  const isNull = node.type === 'PLAIN' && /^(?:|~|null|Null|NULL)$/.test(text)
  return {
    kind: 'scalar',
    text,
    isNull,
    place,
    sourced: () => SourcedText.ofScalar(text, node.type ?? 'PLAIN', place),
  }
}
