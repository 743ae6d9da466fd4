import { canonical, type Inverse, sha256 } from '../plan/plan.ts'
import type { KubeObject } from '../world/objects.ts'
import { clusterPolicyPath } from '../world/read-world.ts'

export type WrittenObject = KubeObject & { readonly spec?: unknown }

/**
 * Whether an object says what we wrote, and nothing else. Of kinds that a cluster defines itself the API
 * server may fill in fields that we do not know: those count as long as nobody has changed them.
 */
export function isAsWritten(
  { metadata, spec }: WrittenObject,
  { path, specHash }: Extract<Inverse, { kind: 'object' }>,
): boolean {
  if (path.startsWith(clusterPolicyPath) && metadata.generation === 1) return true
  return sha256(canonical(spec ?? {})) === specHash
}
