import { compileFinder } from '#engine'
import { type Diagnostic, type Position, positionOf, readYaml, type SourceFile } from '#load'
import { makeDiagnostic } from '../load/diagnostic.ts'
import { NodeReader } from '../load/node-reader.ts'
import type { Destination } from './destination.ts'
import { readDestination } from './read-destination.ts'
import { type KnownNames, matchKeys, readMatch } from './read-match.ts'
import type { Route, Routes } from './route.ts'
import { ShapeReader } from './shape-reader.ts'

export interface RoutesResult {
  readonly ok: boolean
  /** What could be read; only with `ok` it means what the file says. */
  readonly routes: Routes
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * Reads a routes file; all mistakes are found at once, each with its place. With `known`, routes may
 * only name rules and tags that there are.
 */
export function readRoutes(file: SourceFile, known?: KnownNames): RoutesResult {
  const diagnostics: Diagnostic[] = []
  const report = (diagnostic: Diagnostic) => void diagnostics.push(diagnostic)
  const whole = { file, at: 0, end: 0 }
  const context = { type: 'routes content', name: '', place: whole }
  const { documents, problems } = readYaml(file)
  for (const { message, place } of problems) {
    report(makeDiagnostic('LOAD_ERR_YAML_PARSE', message, place, context))
  }
  const [document, second] = documents
  let routes: Routes = nowhere
  if (second !== undefined) {
    const message = 'a routes file is one document'
    report(makeDiagnostic('LOAD_ERR_YAML_VALIDATE', message, second.place, context))
  }
  if (document?.kind === 'map') {
    const shape = new ShapeReader(new NodeReader(document, context, report))
    routes = new RoutesReader(shape, known).read()
  } else if (problems.length === 0) {
    const message = 'a routes file is a map of destinations, routes and default'
    const place = document?.place ?? whole
    report(makeDiagnostic('LOAD_ERR_YAML_VALIDATE', message, place, context))
  }
  diagnostics.sort((a, b) => a.at.offset - b.at.offset)
  const ok = diagnostics.every(({ severity }) => severity !== 'error')
  return { ok, routes, diagnostics }
}

const nowhere: Routes = {
  ...{ matching: 'first', routes: [], otherwise: [], destinations: [], links: {}, redact: [] },
}

class RoutesReader {
  readonly #shape: ShapeReader
  readonly #known: KnownNames | undefined
  readonly #names = new Set<string>()

  constructor(shape: ShapeReader, known: KnownNames | undefined) {
    this.#shape = shape
    this.#known = known
  }

  read(): Routes {
    const shape = this.#shape
    shape.keys(['match', 'destinations', 'routes', 'default', 'links', 'redact'])
    const matching = shape.oneOf('match', ['first', 'all'], 'first')
    const destinations = this.#destinations()
    // those that are wrong in themselves are known by name, so that nothing is said twice
    const names = [...this.#names]
    const routes = this.#routes(names)
    const otherwise = this.#default(names)
    const used = new Set([...otherwise, ...routes.flatMap(({ to }) => to)])
    for (const { name, at } of destinations) {
      if (!used.has(name)) this.#unused(name, at)
    }
    return {
      ...{ matching, destinations, routes, otherwise },
      ...{ links: this.#links(), redact: this.#redact() },
    }
  }

  #destinations(): Destination[] {
    const { node } = this.#shape
    if (!node.has('destinations')) node.invalid('destinations is missing', node.context.place)
    const found: Destination[] = []
    for (const map of this.#shape.maps('destinations', 'a destination')) {
      const inner = this.#shape.within(map, 'destination')
      const destination = readDestination(inner)
      const name = map.get('destination')
      if (name?.kind === 'scalar') {
        if (this.#names.has(name.text)) {
          inner.node.invalid(`there is another destination "${name.text}"`, name.place)
        }
        this.#names.add(name.text)
      }
      if (destination !== undefined) found.push(destination)
    }
    return found
  }

  #routes(destinations: readonly string[]): Route[] {
    const found: Route[] = []
    for (const map of this.#shape.maps('routes', 'a route')) {
      const inner = this.#shape.within(map, 'route')
      const name = inner.node.required('route')
      inner.keys(['route', 'desc', 'to', ...matchKeys])
      if (!inner.node.has('to')) inner.node.invalid('to is missing', map.place)
      const match = readMatch(inner, this.#known)
      const to = this.#targets(inner, destinations)
      if (name === undefined) continue
      if (found.some((other) => other.name === name.text)) {
        inner.node.invalid(`there is another route "${name.text}"`, name.place)
      }
      found.push({ name: name.text, match, to, at: positionOf(name.place) })
    }
    return found
  }

  /** What fits no route must reach somebody. */
  #default(destinations: readonly string[]): readonly string[] {
    const shape = this.#shape
    const { node } = shape
    if (!node.has('default')) {
      node.invalid(
        'default is missing: where everything goes that fits no route, such as {to: [soc]}',
        node.context.place,
      )
      return []
    }
    const map = shape.map('default')
    if (map === undefined) return []
    const inner = shape.within(map, 'default')
    inner.keys(['to'])
    if (!inner.node.has('to')) inner.node.invalid('to is missing', map.place)
    const to = this.#targets(inner, destinations)
    if (to.length === 0 && !inner.node.failed) {
      inner.node.invalid('the default must name a destination', inner.node.place('to'))
    }
    return to
  }

  #targets(inner: ShapeReader, destinations: readonly string[]): readonly string[] {
    const found = inner.node.map.get('to')
    if (found?.kind === 'seq' && found.items.length === 0) return []
    const nodes = inner.texts('to') ?? []
    return nodes.flatMap((node) => inner.known(node, destinations, 'destination') ?? [])
  }

  #links(): Record<string, string> {
    const map = this.#shape.map('links')
    if (map === undefined) return {}
    const inner = this.#shape.within(map, 'links')
    const found = map.entries.flatMap(({ key }) => {
      const url = inner.node.text(key)
      if (url === undefined) return []
      if (/^https?:\/\/[^\s{}]+\//.test(`${url.text}/`)) return [[key, url.text] as const]
      inner.node.invalid(`a link begins with https:// and a host, not "${url.text}"`, url.place)
      return []
    })
    return Object.fromEntries(found)
  }

  #redact(): readonly string[] {
    const nodes = this.#shape.texts('redact') ?? []
    return nodes.flatMap(({ text, place }) => {
      const result = compileFinder(text)
      if ('find' in result) return [text]
      this.#shape.node.invalid(`"${text}" is no RE2 pattern: ${result.problem}`, place)
      return []
    })
  }

  #unused(name: string, { offset, length }: Position): void {
    const { node } = this.#shape
    const place = { file: node.context.place.file, at: offset, end: offset + length }
    node.warn('LOAD_WARNING_EXTENSION', `no route leads to "${name}"`, place)
  }
}
