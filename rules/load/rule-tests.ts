import type { FieldMap } from '#events'
import { type Place, type Position, positionOf, type SourceFile } from './diagnostic.ts'
import { knownKeys, testEvent, testOutputFields } from './test-event.ts'
import { readYaml, type YamlMap, type YamlNode } from './yaml-tree.ts'

/** An event, and whether the rule must match it. */
export interface RuleTest {
  readonly name: string
  readonly fires: boolean
  /** Absent for a test on a trace. */
  readonly event?: FieldMap
  /** A recorded trace to evaluate; its path is relative to the test file. */
  readonly trace?: string
  /** With a trace: the rules that must fire; all others of the rules file must stay silent. */
  readonly rules?: readonly string[]
  /** Members that the alert's `output_fields` must have, as text; `null` for those without value. */
  readonly outputFields: ReadonlyMap<string, string | null>
  readonly at: Position
}

export interface RuleTests {
  readonly rule: string
  readonly tests: readonly RuleTest[]
  readonly at: Position
}

export interface TestProblem {
  readonly message: string
  readonly at: Position
}

/**
 * Reads a test file: a YAML sequence of `{ rule: NAME, tests: [...] }` (or `tests_of: NAME`), where a
 * test has a `name` and either `fires` or `silent`, a field map, and may list `output_fields`; or it
 * has a `trace` and the `rules` that must fire on it.
 */
export function readRuleTests(file: SourceFile): {
  readonly groups: readonly RuleTests[]
  readonly problems: readonly TestProblem[]
} {
  const reader = new TestReader(file)
  const groups = reader.read()
  return { groups, problems: reader.problems }
}

class TestReader {
  readonly problems: TestProblem[] = []
  readonly #file: SourceFile

  constructor(file: SourceFile) {
    this.#file = file
  }

  read(): RuleTests[] {
    const { documents, problems } = readYaml(this.#file)
    for (const { message, place } of problems) this.#fail(message, place)
    return documents.flatMap((document) => {
      if (document.kind === 'scalar' && document.isNull) return []
      if (document.kind === 'seq') return document.items.flatMap((item) => this.#group(item))
      this.#fail('a test file is a sequence of rules with their tests', document.place)
      return []
    })
  }

  #group(node: YamlNode): RuleTests[] {
    if (node.kind !== 'map') {
      this.#fail('a map of rule and tests is expected', node.place)
      return []
    }
    this.#knownKeys(node, ['rule', 'tests_of', 'tests'])
    const rule = node.get('rule') ?? node.get('tests_of')
    const tests = node.get('tests')
    if (rule?.kind !== 'scalar' || tests?.kind !== 'seq') {
      this.#fail('a rule and its tests are expected', node.place)
      return []
    }
    return [
      {
        rule: rule.text,
        at: positionOf(rule.place),
        tests: tests.items.flatMap((item) => this.#test(item, rule.text)),
      },
    ]
  }

  #traceTest(node: YamlMap, name: string, place: Place, trace: YamlNode, rule: string): RuleTest[] {
    const rules = node.get('rules')
    if (trace.kind !== 'scalar' || trace.isNull) {
      this.#fail('the path of a trace is expected', trace.place)
      return []
    }
    for (const key of ['fires', 'silent', 'output_fields']) {
      if (node.get(key) !== undefined) this.#fail(`${key} does not go with a trace`, place)
    }
    if (rules?.kind !== 'seq') {
      this.#fail('rules, those that fire on the trace, are expected', (rules ?? trace).place)
      return []
    }
    const names = rules.items.flatMap((item) => (item.kind === 'scalar' ? [item.text] : []))
    return [
      {
        name,
        fires: names.includes(rule),
        trace: trace.text,
        rules: names,
        outputFields: new Map(),
        at: positionOf(place),
      },
    ]
  }

  #test(node: YamlNode, rule: string): RuleTest[] {
    if (node.kind !== 'map') {
      this.#fail('a map of name and fires or silent is expected', node.place)
      return []
    }
    this.#knownKeys(node, ['name', 'fires', 'silent', 'output_fields', 'trace', 'rules'])
    const name = node.get('name')
    const fires = node.get('fires')
    const silent = node.get('silent')
    if (name?.kind !== 'scalar' || name.isNull) {
      this.#fail('the test has no name', node.place)
      return []
    }
    const trace = node.get('trace')
    if (trace !== undefined) return this.#traceTest(node, name.text, name.place, trace, rule)
    if (node.get('rules') !== undefined) this.#fail('rules go with a trace', node.place)
    if ((fires === undefined) === (silent === undefined)) {
      this.#fail('a test has either fires or silent', node.place)
      return []
    }
    const event = this.#event((fires ?? silent)!)
    if (event === undefined) return []
    const outputFields = this.#outputFields(node.get('output_fields'), fires !== undefined)
    const at = positionOf(name.place)
    return [{ name: name.text, fires: fires !== undefined, event, outputFields, at }]
  }

  #event(node: YamlNode): FieldMap | undefined {
    if (node.kind !== 'map') {
      this.#fail('a map of fields and values is expected', node.place)
      return undefined
    }
    return testEvent(node.entries, node.place, this.#fail)
  }

  #outputFields(node: YamlNode | undefined, fires: boolean): Map<string, string | null> {
    if (node !== undefined && !fires) {
      this.#fail('output_fields go with fires only', node.place)
      return new Map()
    }
    return testOutputFields(node, this.#fail)
  }

  #knownKeys(node: YamlMap, known: readonly string[]): void {
    knownKeys(node, known, this.#fail)
  }

  readonly #fail = (message: string, place: Place): void => {
    this.problems.push({ message, at: positionOf(place) })
  }
}
