import type { Action } from '#responses'
import type { Inverse, KubeCall } from '../plan/plan.ts'
import { nodePath, podPath } from '../world/read-world.ts'
import { marks } from './marks.ts'
import type { ActionContext, PlannedAction } from './plan-action.ts'

/** Labels or annotations of the pod or its node; keys that are so already are left alone. */
export function planLabel(
  { what, level, set }: Extract<Action, { kind: 'label' }>,
  { world, incident }: ActionContext,
): PlannedAction {
  const { pod, node } = world
  const object = level === 'pod' ? pod : node
  if (object === undefined) return { calls: [], inverse: [], effects: [] }
  const { namespace = '', name, uid = '', labels = {}, annotations = {} } = object.metadata
  const changes = changesOf(what === 'labels' ? labels : annotations, set)
  if (Object.keys(changes).length === 0) {
    return { calls: [], inverse: [], effects: [`the ${level} carries the ${what} already`] }
  }
  const path = level === 'pod' ? podPath(namespace, name) : nodePath(name)
  return {
    calls: [patchMetadata(path, uid, what, changes, incident)],
    inverse: [{ kind: 'metadata', path, uid, what, changes }],
    effects: [],
  }
}

export type Changes = Extract<Inverse, { kind: 'metadata' }>['changes']

/** What setting these values changes, with the values before; `null` is no value. */
export function changesOf(
  held: Readonly<Record<string, string>>,
  set: Readonly<Record<string, string | null>>,
): Changes {
  const before = (key: string) => (Object.hasOwn(held, key) ? held[key]! : null)
  return Object.fromEntries(
    Object.entries(set)
      .filter(([key, ours]) => before(key) !== ours)
      .map(([key, ours]) => [key, { ours, before: before(key) }] as const),
  )
}

/** A patch that holds for the object of that uid alone; the incident is named on it. */
export function patchMetadata(
  path: string,
  uid: string,
  what: 'labels' | 'annotations',
  changes: Changes,
  incident: string,
): KubeCall {
  const values = Object.fromEntries(Object.entries(changes).map(([key, { ours }]) => [key, ours]))
  const annotations = { [marks.incident]: incident, ...(what === 'annotations' && values) }
  return {
    via: 'kubernetes',
    method: 'PATCH',
    path,
    contentType: 'application/merge-patch+json',
    body: { metadata: { uid, annotations, ...(what === 'labels' && { labels: values }) } },
    uid,
  }
}
