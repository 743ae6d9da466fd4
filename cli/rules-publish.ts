import { encodeArtefact } from '#artefact'
import { artefactOf } from './artefact.ts'
import { type Io, UsageError } from './io.ts'
import { canaries, withSet } from './publish/assign.ts'
import { configMap } from './publish/config-map.ts'
import { artefactDifference } from './publish/difference.ts'
import { Publication } from './publish/publication.ts'
import { loadRuleFiles, parseRuleOptions, sharedUsage } from './rule-options.ts'
import { showErrors } from './rules-check.ts'

export const usage = `usage: lanner rules publish PATH... --bucket NAME [OPTION]...

Uploads rules, correlations and suppressions as one set, and says that it judges: functions take it up
within half a minute. Then it writes what nodes filter by, for Git. Nothing is uploaded when there is a
mistake. Who did it and what changed goes onto the bus and into the bucket, for "rules rollback".

  --bucket NAME             bucket of rules (output RulesBucket of the stack lanner-pipeline)
  --bus NAME                bus of Lanner (default lanner-bus)
  --clusters A,B            only for these; otherwise for all that have no set of their own
  --canary N%               only for so many of these clusters, always the same ones
  --configmap FILE          where to write the ConfigMap of the nodes; - for standard output
${sharedUsage}`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { rules, values, positionals } = parseRuleOptions(args, {
    bucket: { type: 'string' },
    bus: { type: 'string' },
    clusters: { type: 'string' },
    canary: { type: 'string' },
    configmap: { type: 'string' },
  })
  if (values.bucket === undefined) throw new UsageError('--bucket NAME is needed')
  const clusters = values.clusters?.split(',').filter((name) => name !== '')
  const percent = percentOf(values.canary)
  const loaded = loadRuleFiles(rules, positionals)
  if (!loaded.ok) {
    showErrors(loaded, io)
    return 1
  }
  // Refused before anything is uploaded.
  const nodes = values.configmap === undefined ? undefined : configMap(loaded.sources)
  const publication = new Publication({ bucket: values.bucket, bus: values.bus ?? 'lanner-bus' })
  try {
    const { before, bucket } = await publication.open()
    const chosen = percent === undefined ? clusters : canaries(before, clusters, percent)
    const artefact = artefactOf(loaded, rules.selections)
    const hash = await bucket.putSet(encodeArtefact(artefact))
    const changes = await artefactDifference(bucket, before, chosen, artefact)
    const after = withSet(before, chosen, hash)
    await publication.put('publish', after, { set: hash, clusters: chosen, changes })
    io.err(`lanner: ${hash} judges ${chosen === undefined ? 'all others' : chosen.join(', ')}\n`)
    for (const [kind, names] of Object.entries(changes)) {
      if (names.length > 0) io.err(`  ${kind}: ${names.join(', ')}\n`)
    }
    nodes?.write(values.configmap!, io)
    return 0
  } finally {
    publication.close()
  }
}

function percentOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const percent = /^(\d{1,3})%?$/.exec(text)?.[1]
  if (percent !== undefined && Number(percent) >= 1 && Number(percent) <= 100)
    return Number(percent)
  throw new UsageError(`--canary is a share from 1% to 100%, not "${text}"`)
}
