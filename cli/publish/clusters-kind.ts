import { automaticIn } from '#responses'
import type { KnownCluster } from '../../lambdas/respond/access/clusters.ts'
import { clustersKey, readClusters } from '../../lambdas/respond/access/read-clusters.ts'
import { responsesKey } from '../../lambdas/respond/policy-in-force.ts'
import type { FileKind } from './file-kind.ts'
import { allIsNew, policyIn } from './responses-kind.ts'

/** Where the clusters are that responses act on. */
export const clustersKind: FileKind = {
  what: 'clusters',
  key: clustersKey,
  none: '{}\n',
  about: `Puts into force where clusters are and by which roles responses act there. What the responses in force
do automatically in a cluster that is new, or for which there is a new role, is refused without --allow-auto.`,
  check: (file) => readClusters(file).diagnostics,
  async compare(before, after, bucket) {
    const was = before === undefined ? undefined : readClusters({ name: clustersKey, text: before })
    const [old, now] = [
      was?.ok === true ? was.clusters : new Map<string, KnownCluster>(),
      readClusters({ name: clustersKey, text: after }).clusters,
    ]
    const lines = was?.ok === false ? [allIsNew] : []
    const wider: string[] = []
    for (const [name] of old) if (!now.has(name)) lines.push(`gone: cluster ${name}`)
    for (const [name, cluster] of now) {
      const own = old.get(name)
      const what =
        own === undefined ? [`new: cluster ${name} at ${cluster.server}`] : changesOf(own, cluster)
      lines.push(...what)
      const isFurther =
        own === undefined || own.server !== cluster.server || own.caPem !== cluster.caPem
      if (isFurther || hasNewRole(own, cluster)) wider.push(name)
    }
    const responses = await bucket.read(responsesKey)
    const policy = responses === undefined ? undefined : policyIn(responses.text)
    const automatic = wider.flatMap((cluster) => {
      if (policy === undefined) return []
      const rules = automaticIn(policy, cluster)
      if (rules === undefined) return [`what is automatic in ${cluster} cannot be told`]
      return rules.map(
        ({ rule, namespaces }) => `"${rule}" is automatic in ${cluster}, ${namespaces}`,
      )
    })
    return { lines, automatic }
  },
}

const fields = ['server', 'caPem', 'region', 'eks', 'externalId'] as const

function changesOf(was: KnownCluster, is: KnownCluster): string[] {
  const what: string[] = fields.filter((key) => was[key] !== is[key])
  const classes = new Set([
    ...Object.keys(was.roles),
    ...Object.keys(is.roles),
  ] as (keyof KnownCluster['roles'])[])
  for (const risk of classes) {
    if (was.roles[risk] === is.roles[risk]) continue
    what.push(`role ${risk}: ${was.roles[risk] ?? 'none'} -> ${is.roles[risk] ?? 'none'}`)
  }
  return what.length === 0 ? [] : [`changed: cluster ${is.name}: ${what.join('; ')}`]
}

function hasNewRole(was: KnownCluster, is: KnownCluster): boolean {
  return Object.entries(is.roles).some(
    ([risk, role]) => was.roles[risk as keyof typeof was.roles] !== role,
  )
}
