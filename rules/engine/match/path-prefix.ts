import { compileGlob } from './glob.ts'

interface Node {
  /** A pattern ends here: everything below matches. */
  final: boolean
  readonly children: Map<string, Node>
  readonly globs: { readonly pattern: string; readonly match: Match; readonly node: Node }[]
}

type Match = (text: string) => boolean

/**
 * A matcher that tells whether any of the patterns is a path prefix of a text. Both are split at
 * slashes, empty components count for nothing, so that leading, trailing and double slashes do not
 * matter. A component with `?`, `*` or `[` is a shell pattern for exactly one component.
 */
export function compilePathPrefixes(patterns: readonly string[], siblingDefect = false): Match {
  const root = emptyNode()
  for (const pattern of patterns) add(root, pattern)
  return siblingDefect
    ? (text) => descendAsFalco(root, { at: 0, components: text.split('/').filter(Boolean) })
    : (text) => descend(root, text, 0)
}

function emptyNode(): Node {
  return { final: false, children: new Map(), globs: [] }
}

function add(root: Node, pattern: string): void {
  let node = root
  for (const component of pattern.split('/')) {
    if (component === '') continue
    node = /[?*[]/.test(component) ? globChild(node, component) : plainChild(node, component)
  }
  node.final = true
}

function plainChild(node: Node, component: string): Node {
  let child = node.children.get(component)
  if (child === undefined) {
    child = emptyNode()
    node.children.set(component, child)
  }
  return child
}

function globChild(node: Node, pattern: string): Node {
  const known = node.globs.find((glob) => glob.pattern === pattern)
  if (known !== undefined) return known.node
  const child = emptyNode()
  node.globs.push({ pattern, match: compileGlob(pattern), node: child })
  return child
}

function descend(node: Node, text: string, from: number): boolean {
  if (node.final) return true
  let start = from
  while (text.charCodeAt(start) === 47) start += 1
  if (start >= text.length) return false
  const slash = text.indexOf('/', start)
  const end = slash < 0 ? text.length : slash
  const component = text.slice(start, end)
  const child = node.children.get(component)
  if (child !== undefined && descend(child, text, end)) return true
  return node.globs.some((glob) => glob.match(component) && descend(glob.node, text, end))
}

/**
 * As Falco's own search: all patterns of one level share the place in the text, so that after one
 * of them has led astray the next is held against the wrong component.
 */
function descendAsFalco(
  node: Node,
  place: { at: number; readonly components: readonly string[] },
): boolean {
  if (node.final) return true
  const { at, components } = place
  if (at >= components.length) return false
  const child = node.children.get(components[at]!)
  if (child !== undefined && descendAsFalco(child, { at: at + 1, components })) return true
  return node.globs.some((glob) => {
    const component = components[place.at]
    if (component === undefined || !glob.match(component)) return false
    place.at += 1
    return descendAsFalco(glob.node, place)
  })
}
