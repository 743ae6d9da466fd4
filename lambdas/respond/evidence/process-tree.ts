import type { Detection } from '../../shared/detection.ts'

/** A process that some detection names, with those it started. */
export interface ProcessNode {
  readonly pid: number
  readonly name: string
  readonly exe: string
  /** Rules that it set off. */
  readonly rules: readonly string[]
  readonly children: readonly ProcessNode[]
}

interface Growing {
  readonly pid: number
  readonly name: string
  readonly exe: string
  readonly rules: Set<string>
  readonly children: Map<string, Growing>
}

/** The processes of an incident as a tree, from the ancestors that its detections name. */
export function processTree(detections: readonly Detection[]): ProcessNode[] {
  const roots = new Map<string, Growing>()
  for (const { rule, lanner } of detections) {
    let level = roots
    let node: Growing | undefined
    for (const { pid, name, exe } of [...(lanner.lineage ?? [])].reverse()) {
      const key = `${pid} ${exe}`
      node = level.get(key) ?? { pid, name, exe, rules: new Set(), children: new Map() }
      level.set(key, node)
      level = node.children
    }
    node?.rules.add(rule)
  }
  return finished(roots)
}

function finished(level: ReadonlyMap<string, Growing>): ProcessNode[] {
  return [...level.values()].map(({ pid, name, exe, rules, children }) => {
    return { pid, name, exe, rules: [...rules].sort(), children: finished(children) }
  })
}
