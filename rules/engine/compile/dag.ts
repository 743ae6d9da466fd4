import type { Check, Expr } from '../ast.ts'
import { printCondition } from '../print.ts'

/**
 * Conditions with equal parts shared: two equal sub-expressions are the same node, so that each is
 * compiled once, and evaluated once an event where several rules need it.
 */
export type Node = GroupNode | NotNode | CheckNode | ConstantNode

interface Base {
  readonly id: number
  /** Several conditions, or several places of one, contain the node. */
  shared: boolean
}

export interface GroupNode extends Base {
  readonly kind: 'and' | 'or'
  readonly items: readonly Node[]
}

export interface NotNode extends Base {
  readonly kind: 'not'
  readonly item: Node
}

export interface CheckNode extends Base {
  readonly kind: 'check'
  readonly check: Check
}

export interface ConstantNode extends Base {
  readonly kind: 'constant'
  readonly value: boolean
}

/** Makes nodes, and gives the same one for the same meaning. */
export class Dag {
  readonly always: ConstantNode = { kind: 'constant', value: true, id: 0, shared: false }
  readonly never: ConstantNode = { kind: 'constant', value: false, id: 1, shared: false }
  readonly #nodes = new Map<string, Node>()
  readonly #ofExpr = new Map<Expr, Node>()

  add(expr: Expr): Node {
    const known = this.#ofExpr.get(expr)
    if (known !== undefined) return known
    const node = this.#make(expr)
    this.#ofExpr.set(expr, node)
    return node
  }

  #make(expr: Expr): Node {
    switch (expr.kind) {
      case 'and':
      case 'or':
        return this.group(
          expr.kind,
          expr.items.map((item) => this.add(item)),
        )
      case 'not':
        return this.not(this.add(expr.item))
      case 'check':
        return this.#intern(`${expr.siblingDefect ? 'd' : 'c'} ${printCondition(expr)}`, (id) => ({
          kind: 'check',
          check: expr,
          id,
          shared: false,
        }))
      case 'macro':
        throw new Error(`unresolved macro ${expr.name}`)
    }
  }

  not(item: Node): Node {
    if (item.kind === 'constant') return item.value ? this.never : this.always
    if (item.kind === 'not') return item.item
    return this.#intern(`not ${item.id}`, (id) => ({ kind: 'not', item, id, shared: false }))
  }

  /** Groups of one, constant members and repeated members are simplified away. */
  group(kind: 'and' | 'or', members: readonly Node[]): Node {
    const neutral = kind === 'and' ? this.always : this.never
    const absorbing = kind === 'and' ? this.never : this.always
    const items: Node[] = []
    for (const member of members) {
      if (member === absorbing) return absorbing
      if (member !== neutral && !items.includes(member)) items.push(member)
    }
    if (items.length === 0) return neutral
    if (items.length === 1) return items[0]!
    const key = `${kind} ${items.map(({ id }) => id).join(' ')}`
    return this.#intern(key, (id) => ({ kind, items, id, shared: false }))
  }

  #intern(key: string, make: (id: number) => Node): Node {
    let node = this.#nodes.get(key)
    if (node === undefined) {
      node = make(this.#nodes.size + 2)
      this.#nodes.set(key, node)
    }
    return node
  }
}

/** Marks as shared what more than one place below the roots contains. */
export function markShared(roots: readonly Node[]): void {
  const seen = new Set<Node>()
  for (const root of roots) visit(root)

  function visit(node: Node): void {
    if (seen.has(node)) {
      node.shared = true
      return
    }
    seen.add(node)
    if (node.kind === 'not') visit(node.item)
    else if (node.kind === 'and' || node.kind === 'or') node.items.forEach(visit)
  }
}
