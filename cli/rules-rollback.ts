import { parseArgs } from 'node:util'
import type { Assignment } from '../lambdas/shared/rule-sets/assignment.ts'
import { inAws, Refused } from './aws-problem.ts'
import { type Io, UsageError } from './io.ts'
import { orTell } from './publish/overtaken.ts'
import { rulesPublication } from './publish/publish-set.ts'
import { assignmentIn, assignmentText } from './rule-bucket.ts'

export const usage = `usage: lanner rules rollback --bucket NAME [--bus NAME]

Takes back the last publication that was not taken back yet: the sets before it judge again. Nodes
follow when Git does; until then they filter by the newer set, and detections say so.

  --bucket NAME             bucket of rules
  --bus NAME                bus of Lanner (default lanner-bus)`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { bucket, bus } = parse(args)
  if (bucket === undefined) throw new UsageError('--bucket NAME is needed')
  return inAws('rules rollback', io, async () => {
    const publication = rulesPublication(bucket, bus)
    try {
      const held = await publication.open()
      const last = await publication.lastPublished()
      if (last === undefined) throw new Refused(publication.nothingToTakeBack())
      const [before, after] = [assignmentIn(held), last['before'] as Assignment]
      await orTell(publication, held, async () => {
        const text = assignmentText(after)
        await publication.put({ kind: 'rollback', text, before, after, undoes: last.id })
      })
      io.err(`lanner: took back what ${last.actor} published at ${last.time}\n`)
      return 0
    } finally {
      publication.close()
    }
  })
}

function parse(args: readonly string[]) {
  try {
    const options = { bucket: { type: 'string' }, bus: { type: 'string' } } as const
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
