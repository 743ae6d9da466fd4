import { contextFields } from '#correlate'
import type { FieldMap } from '#events'
import { type Place, type Position, positionOf, type SourceFile } from './diagnostic.ts'
import { parseDuration } from './read-duration.ts'
import type { TestProblem } from './rule-tests.ts'
import { knownKeys, testEvent, testOutputFields } from './test-event.ts'
import { readYaml, type YamlMap, type YamlNode } from './yaml-tree.ts'

/** An event of a test, so many nanoseconds after its beginning. */
export interface TimedEvent {
  readonly at: bigint
  readonly cluster: string
  readonly node: string
  readonly event: FieldMap
}

/** How often a correlation must fire. */
export interface Expectation {
  readonly correlation: string
  readonly count: number
  /** Of the first firing. */
  readonly outputFields: ReadonlyMap<string, string | null>
  readonly at: Position
}

export interface CorrelationTest {
  readonly name: string
  /** In the order in which they arrive. */
  readonly events: readonly TimedEvent[]
  /** Those that are not named must stay silent. */
  readonly expect: readonly Expectation[]
  readonly at: Position
}

export interface CorrelationTests {
  readonly correlation: string
  readonly tests: readonly CorrelationTest[]
  readonly at: Position
}

/**
 * Reads a test file of correlations: a YAML sequence of `{ correlation: NAME, tests: [...] }`. A test
 * has a `name`, `events` (field maps with `at`, and `times` and `every` for those that repeat) and what
 * to `expect`.
 */
export function readCorrelationTests(file: SourceFile): {
  readonly groups: readonly CorrelationTests[]
  readonly problems: readonly TestProblem[]
} {
  const reader = new Reader(file)
  const groups = reader.read()
  return { groups, problems: reader.problems }
}

const mostTimes = 10_000
const eventKeys = ['at', 'times', 'every', ...contextFields]

class Reader {
  readonly problems: TestProblem[] = []
  readonly #file: SourceFile

  constructor(file: SourceFile) {
    this.#file = file
  }

  read(): CorrelationTests[] {
    const { documents, problems } = readYaml(this.#file)
    for (const { message, place } of problems) this.#fail(message, place)
    return documents.flatMap((document) => {
      if (document.kind === 'scalar' && document.isNull) return []
      const what = 'a sequence of correlations with their tests'
      return this.#items(document, what).flatMap((item) => this.#group(item))
    })
  }

  #group(node: YamlMap): CorrelationTests[] {
    knownKeys(node, ['correlation', 'tests'], this.#fail)
    const name = node.get('correlation')
    if (name?.kind !== 'scalar') {
      this.#fail('a correlation and its tests are expected', node.place)
      return []
    }
    const tests = this.#items(node.get('tests') ?? node, 'tests, a sequence,')
    const at = positionOf(name.place)
    return [{ correlation: name.text, at, tests: tests.flatMap((test) => this.#test(test)) }]
  }

  #test(node: YamlMap): CorrelationTest[] {
    knownKeys(node, ['name', 'events', 'expect'], this.#fail)
    const name = node.get('name')
    if (name?.kind !== 'scalar' || name.isNull) {
      this.#fail('the test has no name', node.place)
      return []
    }
    const before = this.problems.length
    const events = this.#items(node.get('events') ?? node, 'events, a sequence,')
    const expected = this.#items(node.get('expect') ?? node, 'expect, a sequence,')
    const test = {
      name: name.text,
      events: events.flatMap((event) => this.#events(event)),
      expect: expected.flatMap((item) => this.#expectation(item)),
      at: positionOf(name.place),
    }
    return this.problems.length > before ? [] : [test]
  }

  /** One event, or as many as `times` says, with `{n}` in their texts counted from 1. */
  #events(node: YamlMap): TimedEvent[] {
    const at = this.#duration(node, 'at')
    const every = this.#duration(node, 'every')
    const times = this.#number(node, 'times', 1)
    const [cluster, origin] = contextFields.map((key) => this.#text(node, key))
    const entries = node.entries.filter(({ key }) => !eventKeys.includes(key))
    const found: TimedEvent[] = []
    for (let n = 1; n <= Math.min(times, mostTimes); n++) {
      const counted = (text: string) => text.replaceAll('{n}', String(n))
      const event = testEvent(entries, node.place, this.#fail, counted)
      if (event === undefined) break
      const time = at + every * BigInt(n - 1)
      found.push({ at: time, event, cluster: cluster ?? '', node: counted(origin ?? '') })
    }
    return found
  }

  #expectation(node: YamlMap): Expectation[] {
    knownKeys(node, ['correlation', 'count', 'output_fields'], this.#fail)
    const name = node.get('correlation')
    if (name?.kind !== 'scalar') {
      this.#fail('the name of a correlation is expected', node.place)
      return []
    }
    const count = this.#number(node, 'count', 1)
    const outputFields = testOutputFields(node.get('output_fields'), this.#fail)
    return [{ correlation: name.text, count, outputFields, at: positionOf(name.place) }]
  }

  #text(node: YamlMap, key: string): string | undefined {
    const value = node.get(key)
    if (value === undefined || value.kind === 'scalar') return value?.text
    this.#fail(`${key} is a text`, value.place)
    return undefined
  }

  #number(node: YamlMap, key: string, otherwise: number): number {
    const text = this.#text(node, key)
    if (text === undefined) return otherwise
    if (/^\d{1,5}$/.test(text)) return Number(text)
    this.#fail(`${key} is a whole number`, node.get(key)!.place)
    return otherwise
  }

  #duration(node: YamlMap, key: string): bigint {
    const text = this.#text(node, key)
    const duration = text === undefined ? 0n : parseDuration(text)
    if (duration !== undefined) return duration
    this.#fail(`${key} is a duration like 10s or 5m`, node.get(key)!.place)
    return 0n
  }

  #items(node: YamlNode, what: string): YamlMap[] {
    if (node.kind !== 'seq') {
      this.#fail(`${what} is expected`, node.place)
      return []
    }
    return node.items.flatMap((item) => {
      if (item.kind === 'map') return [item]
      this.#fail('a map is expected', item.place)
      return []
    })
  }

  readonly #fail = (message: string, place: Place): void => {
    this.problems.push({ message, at: positionOf(place) })
  }
}
