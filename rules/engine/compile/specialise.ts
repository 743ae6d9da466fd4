import { eventTypes } from '#events'
import type { Check } from '../ast.ts'
import { constantsOf } from '../walk.ts'
import type { Dag, Node } from './dag.ts'

/**
 * What is left of a condition once the type of the event is known (-1: the event has none): every
 * comparison of evt.type is decided.
 */
export function specialise(node: Node, type: number, dag: Dag, done: Map<Node, Node>): Node {
  const known = done.get(node)
  if (known !== undefined) return known
  const result = reduce(node, type, dag, done)
  if (node.shared && result.kind !== 'constant') result.shared = true
  done.set(node, result)
  return result
}

function reduce(node: Node, type: number, dag: Dag, done: Map<Node, Node>): Node {
  switch (node.kind) {
    case 'constant':
      return node
    case 'not':
      return dag.not(specialise(node.item, type, dag, done))
    case 'check': {
      const value = typeCheck(node.check, type)
      return value === undefined ? node : value ? dag.always : dag.never
    }
    default: {
      const items: Node[] = []
      for (const item of node.items) items.push(specialise(item, type, dag, done))
      return items.every((item, i) => item === node.items[i]) ? node : dag.group(node.kind, items)
    }
  }
}

/** Result of a comparison of evt.type with constants; `undefined` for other checks. */
function typeCheck(check: Check, type: number): boolean | undefined {
  const { left, op, modifier, right } = check
  if (left.kind !== 'field' || left.text !== 'evt.type' || modifier !== undefined) return undefined
  if (right !== undefined && right.kind !== 'text' && right.kind !== 'list') return undefined
  const name = eventTypes[type]?.name
  if (name === undefined) return false
  switch (op) {
    case 'exists':
      return true
    case '=':
    case '==':
    case 'in':
    case 'intersects':
      return constantsOf(check).some(({ text }) => text === name)
    case '!=':
      return constantsOf(check).every(({ text }) => text !== name)
    default:
      return undefined
  }
}
