import type { Check, Expr, FieldNode, Operand, Right, TransformArg, TransformNode } from './ast.ts'

/** Calls `visit` for every check of a condition, in the order of the text. */
export function eachCheck(expr: Expr, visit: (check: Check) => void): void {
  if (expr.kind === 'check') visit(expr)
  else if (expr.kind === 'not') eachCheck(expr.item, visit)
  else if (expr.kind !== 'macro') for (const item of expr.items) eachCheck(item, visit)
}

/** Calls `visit` for every field and transformer in an operand or on the right of a check. */
export function eachOperand(
  node: Operand | Right | TransformArg,
  visit: (node: FieldNode | TransformNode) => void,
): void {
  if (node.kind === 'field') visit(node)
  if (node.kind === 'transform') {
    visit(node)
    for (const arg of node.args) eachOperand(arg, visit)
  }
  if (node.kind === 'items') for (const item of node.items) eachOperand(item, visit)
}

/** Every field and transformer of a check, both sides. */
export function eachOperandOf(
  check: Check,
  visit: (node: FieldNode | TransformNode) => void,
): void {
  eachOperand(check.left, visit)
  if (check.right !== undefined) eachOperand(check.right, visit)
}

/** Names of the macros that a condition mentions, each once with its first place. */
export function macrosOf(expr: Expr): ReadonlyMap<string, Expr> {
  const found = new Map<string, Expr>()
  collect(expr)
  return found

  function collect(node: Expr): void {
    if (node.kind === 'macro') {
      if (!found.has(node.name)) found.set(node.name, node)
    } else if (node.kind === 'not') collect(node.item)
    else if (node.kind !== 'check') for (const item of node.items) collect(item)
  }
}

/** The constants on the right of a check; empty for an operand and for `exists`. */
export function constantsOf(check: Check): readonly { text: string; at: number; end: number }[] {
  const { right } = check
  if (right?.kind === 'text') return [right]
  return right?.kind === 'list' ? right.items : []
}
