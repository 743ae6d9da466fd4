import { encodeArtefact } from '#artefact'
import { artefactOf } from './artefact.ts'
import { inAws } from './aws-problem.ts'
import { type Io, UsageError } from './io.ts'
import { printable } from './printable.ts'
import { canaries } from './publish/assign.ts'
import { configMap } from './publish/config-map.ts'
import { publishSet, rulesPublication, type SetChanges, setChanges } from './publish/publish-set.ts'
import { assignmentIn } from './rule-bucket.ts'
import { loadRuleFiles, parseRuleOptions, sharedUsage } from './rule-options.ts'
import { showErrors } from './rules-check.ts'

export const usage = `usage: lanner rules publish PATH... --bucket NAME [OPTION]...

Uploads rules, correlations and suppressions as one set, and says that it judges: functions take it up
within half a minute. Then it writes what nodes filter by, for Git. Nothing is uploaded when there is a
mistake. Who did it and what changed goes onto the bus and into the bucket, for "rules rollback". Whoever
publishes for the same clusters at the same time is not overwritten: the second is told of the first.

  --bucket NAME             bucket of rules (output RulesBucket of the stack lanner-pipeline)
  --bus NAME                bus of Lanner (default lanner-bus)
  --clusters A,B            only for these; otherwise for all that have no set of their own
  --canary N%               only for so many of these clusters, always the same ones
  --configmap FILE          where to write the ConfigMap of the nodes; - for standard output
  --dry-run                 show what would change, and change nothing
${sharedUsage}`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { rules, values, positionals } = parseRuleOptions(args, {
    bucket: { type: 'string' },
    bus: { type: 'string' },
    clusters: { type: 'string' },
    canary: { type: 'string' },
    configmap: { type: 'string' },
    'dry-run': { type: 'boolean' },
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
  return inAws('rules publish', io, async () => {
    const publication = rulesPublication(values.bucket!, values.bus)
    try {
      const artefact = artefactOf(loaded, rules.selections)
      const held = await publication.open()
      const before = assignmentIn(held)
      const chosen = percent === undefined ? clusters : canaries(before, clusters, percent)
      const judges = chosen === undefined ? 'all others' : chosen.join(', ')
      if (values['dry-run'] === true) {
        const changes = await setChanges(publication.bucket, before, chosen, artefact)
        io.err(`lanner: would judge ${judges}; nothing is published\n${changeLines(changes)}`)
        return 0
      }
      const set = await publication.bucket.putSet(encodeArtefact(artefact))
      const changes = await publishSet(publication, { set, artefact, held, clusters: chosen, io })
      io.err(`lanner: ${set} judges ${judges}\n${changeLines(changes)}`)
      nodes?.write(values.configmap!, io)
      return 0
    } finally {
      publication.close()
    }
  })
}

function changeLines({ changes, automatic }: SetChanges): string {
  const lines = Object.entries(changes).flatMap(([kind, names]) =>
    names.length === 0 ? [] : [`${kind}: ${names.join(', ')}`],
  )
  return [...lines, ...automatic].map((line) => `  ${printable(line)}\n`).join('')
}

function percentOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const percent = /^(\d{1,3})%?$/.exec(text)?.[1]
  if (percent !== undefined && Number(percent) >= 1 && Number(percent) <= 100)
    return Number(percent)
  throw new UsageError(`--canary is a share from 1% to 100%, not "${text}"`)
}
