import type { KubeRequest } from '../kubernetes/kube.ts'
import type { KubeCall } from '../plan/plan.ts'

/**
 * The same call without effect: the server checks rights, admission and preconditions, and keeps
 * nothing. For what deletes, the word has to stand in the body: with a body the query does not count.
 */
export function dryRun({ method, path, query, contentType, body }: KubeCall): KubeRequest {
  const request = {
    ...{ method, path, query: { ...query, dryRun: 'All' } },
    ...(contentType !== undefined && { contentType }),
  }
  if (method === 'DELETE') return { ...request, body: { ...(body as object), dryRun: ['All'] } }
  if (!path.endsWith('/eviction')) return { ...request, body }
  const { deleteOptions = {}, ...rest } = body as { deleteOptions?: object }
  return { ...request, body: { ...rest, deleteOptions: { ...deleteOptions, dryRun: ['All'] } } }
}
