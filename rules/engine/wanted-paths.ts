import type { FieldRef } from '#events'
import type { Check, Expr } from './ast.ts'
import { type Known, verdictOf } from './edge-filter.ts'
import type { Rule } from './rule.ts'
import { constantsOf } from './walk.ts'

/** Where the file of an event must lie for a rule to match; `'any'` when the rules do not say. */
export type WantedPaths = 'any' | PathLists

/** Each list is enough alone. */
export interface PathLists {
  readonly exact: ReadonlySet<string>
  /** Texts that the path begins with. */
  readonly prefixes: ReadonlySet<string>
  /** Texts that the path ends with. */
  readonly suffixes: ReadonlySet<string>
  /** Whatever the path, when the caller wrote it with `..`. */
  readonly dotted: boolean
}

const nothing: ReadonlySet<string> = new Set()
export const nowhere: PathLists = {
  exact: nothing,
  prefixes: nothing,
  suffixes: nothing,
  dotted: false,
}

/** Whether no path at all is wanted. */
export function isNowhere(paths: WantedPaths): boolean {
  if (paths === 'any' || paths.dotted) return false
  return paths.exact.size + paths.prefixes.size + paths.suffixes.size === 0
}

/**
 * The paths (`fd.name`, absolute, of a file that exists) for which an enabled rule can match an event
 * of which `known` is certain. Sound: for any other path no rule matches, whatever the fields say
 * that are not known.
 */
export function wantedPaths(rules: readonly Rule[], known: (ref: FieldRef) => Known): WantedPaths {
  let wanted: WantedPaths = nowhere
  for (const { condition, enabled } of rules) {
    if (enabled) wanted = union(wanted, pathsWhere(condition, true, known))
  }
  return wanted
}

function pathsWhere(expr: Expr, holds: boolean, known: (ref: FieldRef) => Known): WantedPaths {
  switch (expr.kind) {
    case 'macro':
      return 'any'
    case 'not':
      return pathsWhere(expr.item, !holds, known)
    case 'check': {
      const verdict = verdictOf(expr, known)
      if (verdict !== undefined) return verdict === holds ? 'any' : nowhere
      return holds ? pathsOf(expr) : 'any'
    }
    default: {
      const all = expr.items.map((item) => pathsWhere(item, holds, known))
      return (expr.kind === 'and') === holds
        ? all.reduce(narrower, 'any')
        : all.reduce(union, nowhere)
    }
  }
}

/** Both must hold: each alone bounds the whole, so the smaller one does. */
function narrower(a: WantedPaths, b: WantedPaths): WantedPaths {
  if (a === 'any') return b
  return b === 'any' || reach(a) <= reach(b) ? a : b
}

/** How much a list lets through, roughly: prefixes far more than paths, short ones most. */
function reach({ exact, prefixes, suffixes, dotted }: PathLists): number {
  let sum = exact.size + 8 * suffixes.size + (dotted ? 20 : 0)
  for (const prefix of prefixes) sum += prefix.length < 3 ? 10_000 : 50
  return sum
}

export function union(a: WantedPaths, b: WantedPaths): WantedPaths {
  if (a === 'any' || b === 'any') return 'any'
  return {
    exact: new Set([...a.exact, ...b.exact]),
    prefixes: new Set([...a.prefixes, ...b.prefixes]),
    suffixes: new Set([...a.suffixes, ...b.suffixes]),
    dotted: a.dotted || b.dotted,
  }
}

function pathsOf(check: Check): WantedPaths {
  const { left, right, op, modifier } = check
  if (left.kind !== 'field' || modifier !== undefined) return 'any'
  if (right === undefined || right.kind === 'field' || right.kind === 'transform') return 'any'
  const place = places[left.text]?.[op]
  if (place === undefined) return 'any'
  return constantsOf(check)
    .map(({ text }) => place(text))
    .reduce(union, nowhere)
}

type Place = (text: string) => WantedPaths

const exactly: Place = (text) => ({ ...nowhere, exact: new Set([text]) })
const below: Place = (text) => (text === '' ? 'any' : { ...nowhere, prefixes: new Set([text]) })
const ending: Place = (text) => (text === '' ? 'any' : { ...nowhere, suffixes: new Set([text]) })
const named: Place = (text) => ending(`/${text}`)
const dotted: Place = (text) => (text.includes('..') ? { ...nowhere, dotted: true } : 'any')

/** Whatever a glob may give a meaning. */
const wildcard = /[*?[\]\\+@!(){}|]/

/** Up to the first wildcard, or from the last one on. */
const matching: Place = (text) => {
  const at = text.search(wildcard)
  if (at < 0) return exactly(text)
  if (at > 1) return below(text.slice(0, at))
  const last = text.split(wildcard).at(-1)!
  return last === '' ? 'any' : ending(last)
}

/** Two dots stand for themselves in a glob of nothing but the simplest wildcards. */
const matchingDots: Place = (text) =>
  wildcard.test(text.replace(/[*?]/g, '')) ? 'any' : dotted(text)

/** Paths below a path whose components may have wildcards; slashes may be doubled in what is written. */
const within: Place = (text) => {
  const components = text.split('/').filter((component) => component !== '')
  const plain = components.findIndex((component) => wildcard.test(component))
  const fixed = plain < 0 ? components : components.slice(0, plain)
  return fixed.length === 0 ? 'any' : below(`/${fixed.join('/')}`)
}

const pathOperators: Readonly<Record<string, Place>> = {
  '=': exactly,
  '==': exactly,
  in: exactly,
  startswith: below,
  endswith: ending,
  glob: matching,
  pmatch: within,
}

/** Fields that are a path of the event's file or part of one, and what each comparison says of it. */
const places: Readonly<Record<string, Readonly<Record<string, Place>>>> = {
  'fd.name': pathOperators,
  // the directory itself when that is what was opened
  'fd.directory': {
    '=': below,
    '==': below,
    in: below,
    startswith: below,
    pmatch: within,
    glob: matchingDirectory,
  },
  'fd.nameraw': {
    '=': dotted,
    '==': dotted,
    in: dotted,
    contains: dotted,
    startswith: dotted,
    glob: matchingDots,
  },
  'fd.filename': { '=': named, '==': named, in: named },
}

function matchingDirectory(text: string): WantedPaths {
  const at = text.search(wildcard)
  return at > 1 || at < 0 ? below(at < 0 ? text : text.slice(0, at)) : 'any'
}
