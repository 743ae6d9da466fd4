import { nearestName } from '#events'
import {
  type Diagnostic,
  makeDiagnostic,
  type Place,
  type Position,
  positionOf,
  type SourceFile,
} from '../load/diagnostic.ts'
import type { FileResult } from '../load/load-rules.ts'
import { NodeReader } from '../load/node-reader.ts'
import { readYaml, type YamlNode } from '../load/yaml-tree.ts'
import { ActionBlocks } from './action-blocks.ts'
import {
  defaultLimits,
  defaultProtection,
  type Limits,
  type ModeRule,
  type Protection,
  type ResponsePolicy,
  type ResponseRule,
} from './policy.ts'
import { readLimits, readMode, readProtection } from './read-settings.ts'
import { RuleBlocks } from './rule-blocks.ts'

/** Something that a file asks for and that Lanner does not do. */
export interface Unsupported {
  /** The rule or action it is in. */
  readonly item: string
  readonly what: string
  readonly at: Position
}

export interface LoadedResponses {
  /** Whether no file has an error; only then does the policy mean what the files say. */
  readonly ok: boolean
  readonly policy: ResponsePolicy
  readonly unsupported: readonly Unsupported[]
  readonly files: readonly FileResult[]
}

const kinds = ['action', 'rule', 'mode', 'limits', 'protect'] as const

/**
 * Reads response files in Talon's format, and Lanner's items beside it: `mode`, `limits`, `protect`.
 * As in Talon, blocks of one name are merged in the order of the files; all mistakes of all files are
 * found at once, each with its place. A rule that answers none of the `detections` is warned of, if any
 * are given.
 */
export function readResponses(
  files: readonly SourceFile[],
  detections: readonly string[] = [],
): LoadedResponses {
  const diagnostics: Diagnostic[] = []
  const report = (diagnostic: Diagnostic) => diagnostics.push(diagnostic)
  const unsupported: Unsupported[] = []
  const left = new Set<string>()
  const leave = (item: string, what: string, place: Place, reader: NodeReader) => {
    const key = `${place.file.name} ${place.at} ${what}`
    if (left.has(key)) return
    left.add(key)
    unsupported.push({ item, what, at: positionOf(place) })
    reader.warn('LOAD_WARNING_EXTENSION', what, place)
  }
  const actions = new ActionBlocks(leave)
  const rules = new RuleBlocks(actions, leave, detections)
  const settings: NodeReader[] = []
  for (const file of files) {
    for (const reader of itemsOf(file, report)) {
      if (reader.has('rule')) rules.add(reader)
      else if (reader.has('action')) actions.add(reader)
      else settings.push(reader)
    }
  }
  const modes: ModeRule[] = []
  let limits: Limits = defaultLimits
  let protect: Protection = defaultProtection
  actions.check()
  const read: ResponseRule[] = rules.read()
  for (const reader of settings) {
    if (reader.has('mode')) modes.push(...readMode(reader, rules.names))
    else if (reader.has('limits')) limits = readLimits(reader, limits)
    else protect = readProtection(reader, protect)
  }
  const results = files.map(
    (file): FileResult => ({
      file,
      diagnostics: diagnostics
        .filter(({ at }) => at.file === file.name)
        .sort((a, b) => a.at.offset - b.at.offset),
    }),
  )
  return {
    ok: diagnostics.every(({ severity }) => severity !== 'error'),
    policy: { rules: read, modes, limits, protect },
    unsupported,
    files: results,
  }
}

/** A reader for each item of a file; what is no item is reported. */
function itemsOf(file: SourceFile, report: (diagnostic: Diagnostic) => void): NodeReader[] {
  const context = { type: 'responses content', name: '', place: { file, at: 0, end: 0 } }
  const { documents, problems } = readYaml(file)
  for (const { message, place } of problems) {
    report(makeDiagnostic('LOAD_ERR_YAML_PARSE', message, place, context))
  }
  const shape = (message: string, { place }: YamlNode) => {
    report(makeDiagnostic('LOAD_ERR_YAML_VALIDATE', message, place, context))
    return []
  }
  return documents.flatMap((document) => {
    if (document.kind === 'scalar' && document.isNull) return []
    if (document.kind !== 'seq') return shape('a response file is a sequence of items', document)
    return document.items.flatMap((item): NodeReader[] => {
      if (item.kind !== 'map') return shape('an item is a map', item)
      const kind = kinds.find((known) => item.get(known) !== undefined)
      if (kind === undefined) {
        const nearest = item.entries.flatMap(({ key }) => nearestName(key, kinds) ?? [])[0]
        const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
        return shape(`an item begins with one of ${kinds.join(', ')}${hint}`, item)
      }
      const of = { parent: context, type: kind, name: '', place: item.place }
      return [new NodeReader(item, of, report)]
    })
  })
}
