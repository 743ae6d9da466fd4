import { quarantineLabel } from '#events'
import { marks, quarantineName } from '../actions/marks.ts'
import type { NetworkPolicy, Pod } from '../world/objects.ts'

/**
 * Short id of the response that holds a pod cut off; `undefined` when none does. The label alone says
 * nothing, as whoever writes a pod's template sets it: the policy of that response has to be there, select
 * by that label, and let nothing in and not everything out.
 */
export function cutOffBy(
  { metadata }: Pod,
  policies: readonly NetworkPolicy[],
): string | undefined {
  const { labels = {}, namespace } = metadata
  const held = Object.hasOwn(labels, quarantineLabel) ? labels[quarantineLabel]! : ''
  if (held === '') return undefined
  return policies.some((policy) => policy.metadata.namespace === namespace && cuts(policy, held))
    ? held
    : undefined
}

function cuts({ metadata, spec }: NetworkPolicy, held: string): boolean {
  const { matchLabels = {}, matchExpressions = [] } = spec.podSelector ?? {}
  const types = spec.policyTypes ?? []
  return (
    metadata.name === quarantineName(held) &&
    metadata.labels?.[marks.response] === held &&
    metadata.labels['app.kubernetes.io/managed-by'] === 'lanner' &&
    Object.keys(matchLabels).length === 1 &&
    matchLabels[quarantineLabel] === held &&
    matchExpressions.length === 0 &&
    types.includes('Ingress') &&
    types.includes('Egress') &&
    (spec.ingress ?? []).length === 0 &&
    (spec.egress ?? []).every(({ to = [] }) => to.length > 0)
  )
}
