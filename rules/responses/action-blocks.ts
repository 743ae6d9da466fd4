import type { Place } from '../load/diagnostic.ts'
import type { NodeReader } from '../load/node-reader.ts'
import type { YamlMap, YamlNode } from '../load/yaml-tree.ts'
import type { ResponseStep } from './policy.ts'
import { type Given, readAction } from './read-action.ts'

const actionKeys = [
  ...['action', 'description', 'actionner', 'parameters', 'continue', 'ignore_errors'],
  ...['output', 'additional_contexts'],
]

export type Leave = (item: string, what: string, place: Place, reader: NodeReader) => void

/** An action as far as it is known: the blocks of its name, merged in their order. */
interface Block {
  readonly name: string
  readonly place: Place
  readonly actionner: { readonly text: string; readonly place: Place } | undefined
  readonly parameters: ReadonlyMap<string, Given>
  readonly continue: boolean | undefined
  readonly ignoreErrors: boolean | undefined
}

/** Reusable actions of all files, by name. */
export class ActionBlocks {
  readonly #leave: Leave
  readonly #blocks = new Map<string, { block: Block; reader: NodeReader }>()

  constructor(leave: Leave) {
    this.#leave = leave
  }

  add(reader: NodeReader): void {
    const block = this.#block(reader)
    if (block === undefined) return
    const before = this.#blocks.get(block.name)?.block
    this.#blocks.set(block.name, { block: merge(before, block), reader })
  }

  /** Reports what is wrong with blocks, whether a rule uses them or not. */
  check(): void {
    for (const { block, reader } of this.#blocks.values()) {
      // One without an actionner may get it where it is used.
      if (block.actionner !== undefined) this.#step(block, reader, true)
    }
  }

  /** The step that an entry of a rule's `actions` stands for; mistakes go to its reader. */
  step(reader: NodeReader): ResponseStep | undefined {
    const own = this.#block(reader)
    if (own === undefined) return undefined
    const named = this.#blocks.get(own.name)?.block
    const block = merge(named, own)
    const isNamed = named !== undefined && own.actionner === undefined && own.parameters.size === 0
    return this.#step(block, reader, !isNamed)
  }

  #block(reader: NodeReader): Block | undefined {
    reader.unknownKeys(actionKeys)
    const name = reader.required('action')
    const actionner = reader.text('actionner')
    const block = {
      name: name?.text ?? '',
      place: name?.place ?? reader.context.place,
      actionner: actionner && { text: actionner.text, place: actionner.place },
      parameters: parametersOf(reader),
      continue: reader.bool('continue'),
      ignoreErrors: reader.bool('ignore_errors'),
    }
    for (const key of ['additional_contexts', 'output'] as const) {
      if (!reader.has(key) || name === undefined) continue
      const what =
        key === 'output'
          ? 'output is not honoured: what is collected goes to the evidence bucket'
          : 'additional_contexts is not honoured: no text of an event gets into a call'
      this.#leave(name.text, what, keyPlace(reader.map, key), reader)
    }
    return name === undefined ? undefined : block
  }

  #step(block: Block, reader: NodeReader, tell: boolean): ResponseStep | undefined {
    const { name, actionner, place } = block
    if (actionner === undefined) {
      return reader.error(
        'LOAD_ERR_VALIDATE',
        `the action "${name}" has no actionner, and no action of this name is defined`,
        place,
      )
    }
    const read = readAction(reader, actionner.text, actionner.place, block.parameters)
    if (read === undefined) return undefined
    if (tell) for (const { what, place } of read.left) this.#leave(name, what, place, reader)
    // Talon goes on after every action but the one that ends the pod.
    const goesOn = block.continue ?? read.action.kind !== 'terminate'
    return {
      name,
      action: read.action,
      continue: goesOn,
      ignoreErrors: block.ignoreErrors ?? false,
    }
  }
}

/** Maps merge, sequences grow, of scalars the later one counts. */
function merge(before: Block | undefined, after: Block): Block {
  if (before === undefined) return after
  const parameters = new Map(before.parameters)
  for (const [name, given] of after.parameters) {
    const known = parameters.get(name)?.node
    parameters.set(
      name,
      known === undefined ? given : { ...given, node: mergeNode(known, given.node) },
    )
  }
  return {
    ...after,
    actionner: after.actionner ?? before.actionner,
    parameters,
    continue: after.continue ?? before.continue,
    ignoreErrors: after.ignoreErrors ?? before.ignoreErrors,
  }
}

function mergeNode(before: YamlNode, after: YamlNode): YamlNode {
  if (before.kind === 'seq' && after.kind === 'seq') {
    return { ...after, items: [...before.items, ...after.items] }
  }
  if (before.kind !== 'map' || after.kind !== 'map') return after
  const kept = before.entries.filter(({ key }) => after.get(key) === undefined)
  const entries = [...kept, ...after.entries]
  return { ...after, entries, get: (key) => entries.find((entry) => entry.key === key)?.value }
}

function parametersOf(reader: NodeReader): Map<string, Given> {
  const node = reader.map.get('parameters')
  if (node === undefined || (node.kind === 'scalar' && node.isNull)) return new Map()
  if (node.kind !== 'map') {
    reader.invalid('parameters must be a map', node.place)
    return new Map()
  }
  return new Map(
    node.entries.map(({ key, keyPlace, value }) => [key, { node: value, keyPlace }] as const),
  )
}

export function keyPlace(map: YamlMap, key: string): Place {
  return map.entries.find((entry) => entry.key === key)?.keyPlace ?? map.place
}
