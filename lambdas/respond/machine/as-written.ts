import { canonical, type Inverse, sha256 } from '../plan/plan.ts'
import type { KubeObject } from '../world/objects.ts'
import { clusterPolicyPath } from '../world/read-world.ts'

export type WrittenObject = KubeObject & { readonly spec?: unknown }

/**
 * Whether an object says what we wrote, and nothing else. Of kinds that a cluster defines itself the API
 * server may fill in fields that we do not know: those count as long as nobody has changed them. `uid`: of the
 * object that we made, where it is known: another one under its name is not it.
 */
export function isAsWritten(
  { metadata, spec }: WrittenObject,
  { path, specHash }: Extract<Inverse, { kind: 'object' }>,
  uid?: string,
): boolean {
  if (uid !== undefined && metadata.uid !== uid) return false
  if (path.startsWith(clusterPolicyPath) && metadata.generation === 1) return true
  return sha256(canonical(spec ?? {})) === specHash
}
