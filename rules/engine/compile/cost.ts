import type { Check } from '../ast.ts'
import { operandType } from '../operand-type.ts'
import { constantsOf } from '../walk.ts'
import type { Node } from './dag.ts'

interface Estimate {
  /** In units of one comparison of a number. */
  readonly cost: number
  /** Share of events for which the condition holds. */
  readonly holds: number
}

/**
 * The members of a group with the one first that decides the most for its cost. Reading a field has
 * no side effect, so that the order cannot be observed.
 */
export function cheapestFirst(kind: 'and' | 'or', items: readonly Node[]): Node[] {
  const rank = (node: Node) => {
    const { cost, holds } = estimate(node)
    return cost / Math.max(kind === 'and' ? 1 - holds : holds, 0.01)
  }
  return items
    .map((node) => ({ node, rank: rank(node) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ node }) => node)
}

const estimates = new WeakMap<Node, Estimate>()

function estimate(node: Node): Estimate {
  let known = estimates.get(node)
  if (known === undefined) {
    known = estimateNew(node)
    // What other rules need as well is paid for once.
    if (node.shared) known = { ...known, cost: Math.max(1, known.cost / 2) }
    estimates.set(node, known)
  }
  return known
}

function estimateNew(node: Node): Estimate {
  switch (node.kind) {
    case 'constant':
      return { cost: 0, holds: node.value ? 1 : 0 }
    case 'not': {
      const { cost, holds } = estimate(node.item)
      return { cost, holds: 1 - holds }
    }
    case 'check':
      return estimateCheck(node.check)
    default: {
      let cost = 0
      let goesOn = 1
      for (const item of node.items) {
        const part = estimate(item)
        cost += part.cost * goesOn
        goesOn *= node.kind === 'and' ? part.holds : 1 - part.holds
      }
      return { cost, holds: node.kind === 'and' ? goesOn : 1 - goesOn }
    }
  }
}

function estimateCheck(check: Check): Estimate {
  const ancestors = operandType(check.left)?.quantity === 'ancestors' ? 8 : 1
  const transformed = check.left.kind === 'transform' ? 10 : 0
  const count = constantsOf(check).length
  const [cost, holds] = ((): [number, number] => {
    switch (check.op) {
      case 'exists':
        return [1, 0.9]
      case '=':
      case '==':
        return [1, 0.05]
      case '!=':
        return [1, 0.95]
      case '<':
      case '<=':
      case '>':
      case '>=':
        return [1, 0.5]
      case 'in':
      case 'intersects':
        return [3, Math.min(0.5, 0.02 * count)]
      case 'startswith':
      case 'endswith':
      case 'bstartswith':
        return [2, 0.1]
      case 'contains':
      case 'bcontains':
        return [5, 0.05]
      case 'icontains':
        return [12, 0.05]
      case 'pmatch':
        return [15, 0.2]
      case 'glob':
      case 'iglob':
        return [15, 0.05]
      case 'regex':
        return [60, 0.05]
    }
  })()
  return { cost: cost * ancestors * (check.modifier ? count : 1) + transformed, holds }
}
