import { type Route, type Routes, type RoutesResult, readRoutes } from '#routes'
import { routesKey } from '../../lambdas/shared/routes-in-force.ts'
import type { FileKind } from './file-kind.ts'
import { allIsNew } from './responses-kind.ts'

/** Whom incidents reach. */
export const routesKind: FileKind = {
  what: 'routes',
  key: routesKey,
  about: `Puts into force whom incidents reach. Routes and destinations that are gone, new or changed are shown.`,
  check(file, known) {
    const { diagnostics } = readRoutes(file)
    if (known === undefined || diagnostics.length > 0) return diagnostics
    // alerts of Falco elsewhere come with rules that no set has
    return readRoutes(file, known).diagnostics.map((one) => ({ ...one, severity: 'warning' }))
  },
  compare(before, after) {
    const was = before === undefined ? undefined : read(before)
    const isReadable = was?.ok === true
    const lines = differenceOf(isReadable ? was.routes : undefined, read(after).routes)
    return {
      lines: was !== undefined && !isReadable ? [allIsNew, ...lines] : lines,
      automatic: [],
    }
  },
}

const read = (text: string): RoutesResult => readRoutes({ name: routesKey, text })

const nobody: Routes = {
  ...{ matching: 'first', routes: [], otherwise: [], destinations: [], links: {}, redact: [] },
}

function differenceOf(before: Routes | undefined, after: Routes): string[] {
  const was = before ?? nobody
  const lines: string[] = []
  const to = (names: readonly string[]) => names.join(', ') || 'nobody'
  const named = (routes: Routes) => new Map(routes.routes.map((route) => [route.name, route]))
  const [old, now] = [named(was), named(after)]
  for (const { name, to: whom } of was.routes) {
    if (!now.has(name)) lines.push(`gone: route "${name}" -> ${to(whom)}`)
  }
  for (const route of after.routes) {
    const own = old.get(route.name)
    if (own === undefined) lines.push(`new: route "${route.name}" -> ${to(route.to)}`)
    else lines.push(...routeChanges(own, route, to))
  }
  const order = (routes: Routes, others: ReadonlyMap<string, Route>) =>
    routes.routes.map(({ name }) => name).filter((name) => others.has(name))
  const [first, then] = [order(was, now), order(after, old)]
  if (!isSame(first, then)) lines.push(`order: ${then.map((name) => `"${name}"`).join(', ')}`)
  if (before !== undefined && was.matching !== after.matching) {
    lines.push(`match: ${was.matching} -> ${after.matching}`)
  }
  if (!isSame(was.otherwise, after.otherwise)) {
    lines.push(`default: ${to(was.otherwise)} -> ${to(after.otherwise)}`)
  }
  return [...lines, ...destinationChanges(was, after), ...otherChanges(was, after)]
}

function routeChanges(was: Route, is: Route, to: (names: readonly string[]) => string): string[] {
  const changes = [
    ...(isSame(was.to, is.to) ? [] : [`${to(was.to)} -> ${to(is.to)}`]),
    ...(isSame(was.match, is.match) ? [] : ['what it matches']),
  ]
  return changes.length === 0 ? [] : [`changed: route "${is.name}": ${changes.join('; ')}`]
}

function destinationChanges(was: Routes, is: Routes): string[] {
  const named = ({ destinations }: Routes) => new Map(destinations.map((one) => [one.name, one]))
  const [old, now] = [named(was), named(is)]
  const lines: string[] = []
  for (const [name, { kind }] of old)
    if (!now.has(name)) lines.push(`gone: destination ${name} (${kind})`)
  for (const [name, one] of now) {
    const own = old.get(name)
    if (own === undefined) lines.push(`new: destination ${name} (${one.kind})`)
    else if (!isSame({ ...own, at: 0 }, { ...one, at: 0 }))
      lines.push(`changed: destination ${name} (${one.kind})`)
  }
  return lines
}

function otherChanges(was: Routes, is: Routes): string[] {
  return [
    ...was.redact
      .filter((one) => !is.redact.includes(one))
      .map((one) => `not redacted any more: ${one}`),
    ...is.redact.filter((one) => !was.redact.includes(one)).map((one) => `redacted: ${one}`),
    ...(isSame(was.links, is.links) ? [] : ['changed: links']),
  ]
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
