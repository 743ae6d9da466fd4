import { nearestName } from '#events'
import type { Expr } from './ast.ts'
import { didYouMean, type Problem } from './problem.ts'
import { macrosOf } from './walk.ts'

/** Resolved conditions may be nested this deep, so that no walk over them exhausts the stack. */
export const maxResolvedDepth = 1200

/** Macros that double each other must not grow without bounds. */
export const maxResolvedSize = 1_000_000

/** The conditions of macros by name, themselves resolved. */
export type Macros = ReadonlyMap<string, Expr>

/**
 * The condition with every macro replaced by its (shared) tree, or a problem for each macro that is
 * not known.
 */
export function resolveMacros(expr: Expr, macros: Macros): Expr | readonly Problem[] {
  const problems: Problem[] = []
  for (const [name, { at, end }] of macrosOf(expr)) {
    if (macros.has(name)) continue
    const message = `there is no macro "${name}"${didYouMean(nearestName(name, macros.keys()))}`
    problems.push({ code: 'undefined-macro', message, at, end })
  }
  if (problems.length > 0) return problems
  const resolved = replace(expr, macros)
  if (sizeOf(resolved) > maxResolvedSize) {
    const message = `with its macros the condition has more than ${maxResolvedSize} parts`
    return [{ code: 'too-deep', message, at: expr.at, end: expr.end }]
  }
  if (depthOf(resolved) <= maxResolvedDepth) return resolved
  const message = `with its macros the condition is nested more than ${maxResolvedDepth} deep`
  return [{ code: 'too-deep', message, at: expr.at, end: expr.end }]
}

function replace(expr: Expr, macros: Macros): Expr {
  switch (expr.kind) {
    case 'check':
      return expr
    case 'macro':
      return macros.get(expr.name)!
    case 'not': {
      const item = replace(expr.item, macros)
      return item === expr.item ? expr : { ...expr, item }
    }
    default: {
      const items = expr.items.map((item) => replace(item, macros))
      return items.every((item, i) => item === expr.items[i]) ? expr : { ...expr, items }
    }
  }
}

const sizes = new WeakMap<Expr, number>()

/** How many nodes a walk over the tree meets. */
function sizeOf(expr: Expr): number {
  if (expr.kind === 'check' || expr.kind === 'macro') return 1
  const known = sizes.get(expr)
  if (known !== undefined) return known
  const items = expr.kind === 'not' ? [expr.item] : expr.items
  let size = 1
  for (const item of items) size += sizeOf(item)
  sizes.set(expr, size)
  return size
}

const depths = new WeakMap<Expr, number>()

function depthOf(expr: Expr): number {
  if (expr.kind === 'check' || expr.kind === 'macro') return 1
  const known = depths.get(expr)
  if (known !== undefined) return known
  const items = expr.kind === 'not' ? [expr.item] : expr.items
  let depth = 0
  for (const item of items) depth = Math.max(depth, depthOf(item))
  depths.set(expr, depth + 1)
  return depth + 1
}
