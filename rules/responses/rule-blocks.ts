import { positionOf } from '../load/diagnostic.ts'
import type { NodeReader } from '../load/node-reader.ts'
import { parseDuration } from '../load/read-duration.ts'
import type { YamlScalar } from '../load/yaml-tree.ts'
import { type ActionBlocks, keyPlace, type Leave } from './action-blocks.ts'
import type { ResponseMatch, ResponseRule, ResponseStep } from './policy.ts'
import { readMatch } from './read-match.ts'

const ruleKeys = [
  ...['rule', 'description', 'continue', 'dry_run', 'notifiers', 'match', 'actions'],
  ...['expires', 'approve_within'],
]
const second = 1_000_000_000n
const defaultExpiry = 3600
const defaultApproval = 1800
/** A week: what stays for longer is no longer an emergency. */
const longest = 7 * 86_400

interface Block {
  readonly name: YamlScalar
  readonly reader: NodeReader
}

/** The response rules of all files; a later rule of a name overrides the keys it gives. */
export class RuleBlocks {
  readonly #actions: ActionBlocks
  readonly #leave: Leave
  readonly #detections: readonly string[]
  readonly #blocks = new Map<string, Block[]>()

  constructor(actions: ActionBlocks, leave: Leave, detections: readonly string[]) {
    this.#detections = detections
    this.#actions = actions
    this.#leave = leave
  }

  add(reader: NodeReader): void {
    reader.unknownKeys(ruleKeys)
    const name = reader.required('rule')
    if (name === undefined) return
    this.#blocks.set(name.text, [...(this.#blocks.get(name.text) ?? []), { name, reader }])
  }

  /** Of all rules, also of those with mistakes. */
  get names(): string[] {
    return [...this.#blocks.keys()]
  }

  read(): ResponseRule[] {
    return [...this.#blocks.values()].flatMap((blocks) => this.#rule(blocks) ?? [])
  }

  #rule(blocks: readonly Block[]): ResponseRule | undefined {
    const { name, reader: first } = blocks[0]!
    const last = <T>(read: (reader: NodeReader) => T | undefined) =>
      blocks.map(({ reader }) => read(reader)).findLast((value) => value !== undefined)
    const match = last((reader) => this.#match(reader))
    const steps = last((reader) => this.#steps(reader))
    for (const { reader } of blocks) {
      if (!reader.has('notifiers')) continue
      const what =
        'notifiers is not honoured: every step goes onto the bus, whose routes tell people'
      this.#leave(name.text, what, keyPlace(reader.map, 'notifiers'), reader)
    }
    const description = last((reader) => reader.text('description')?.text) ?? ''
    const goesOn = last((reader) => reader.bool('continue')) ?? true
    const dryRun = last((reader) => reader.bool('dry_run')) ?? false
    const expiresSeconds = last((reader) => duration(reader, 'expires')) ?? defaultExpiry
    const approveSeconds = last((reader) => duration(reader, 'approve_within')) ?? defaultApproval
    if (match === undefined && !blocks.some(({ reader }) => reader.has('match'))) {
      first.invalid('match is missing', first.context.place)
    }
    if (steps === undefined && !blocks.some(({ reader }) => reader.has('actions'))) {
      first.invalid('actions is missing', first.context.place)
    }
    if (match === undefined || steps === undefined) return undefined
    if (blocks.some(({ reader }) => reader.failed)) return undefined
    return {
      name: name.text,
      description,
      match,
      steps,
      continue: goesOn,
      dryRun,
      expiresSeconds,
      approveSeconds,
      at: positionOf(name.place),
    }
  }

  #match(reader: NodeReader): ResponseMatch | undefined {
    const node = reader.map.get('match')
    if (node === undefined) return undefined
    if (node.kind !== 'map') return reader.invalid('match must be a map', node.place)
    const inner = reader.nested(node, reader.within('match', node))
    const match = readMatch(inner, this.#detections)
    if (inner.failed) reader.failed = true
    return match
  }

  #steps(reader: NodeReader): ResponseStep[] | undefined {
    const seq = reader.seq('actions')
    if (seq === undefined) return undefined
    if (seq.items.length === 0) return reader.invalid('actions must not be empty', seq.place)
    if (seq.items.length > mostSteps) {
      return reader.invalid(`actions holds at most ${mostSteps}`, seq.place)
    }
    return seq.items.flatMap((item): ResponseStep[] => {
      if (item.kind !== 'map') {
        reader.invalid('an action is a map', item.place)
        return []
      }
      const inner = reader.nested(item, reader.within('action', item))
      const step = this.#actions.step(inner)
      if (inner.failed) reader.failed = true
      return step === undefined ? [] : [step]
    })
  }
}

const mostSteps = 10

function duration(reader: NodeReader, key: string): number | undefined {
  const node = reader.text(key)
  if (node === undefined) return undefined
  const seconds = Number((parseDuration(node.text) ?? 0n) / second)
  if (seconds >= 60 && seconds <= longest) return seconds
  return reader.invalid(
    `${key} is a duration from 60s to 7d, like 30m, not "${node.text}"`,
    node.place,
  )
}
