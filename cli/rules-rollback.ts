import { parseArgs } from 'node:util'
import { type Io, UsageError } from './io.ts'
import { Publication } from './publish/publication.ts'

export const usage = `usage: lanner rules rollback --bucket NAME [--bus NAME]

Takes back the last publication that was not taken back yet: the sets before it judge again. Nodes
follow when Git does; until then they filter by the newer set, and detections say so.

  --bucket NAME             bucket of rules
  --bus NAME                bus of Lanner (default lanner-bus)`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { bucket, bus = 'lanner-bus' } = parse(args)
  if (bucket === undefined) throw new UsageError('--bucket NAME is needed')
  const publication = new Publication({ bucket, bus })
  try {
    await publication.open()
    const last = await publication.lastPublished()
    if (last === undefined) {
      io.err('lanner: there is no publication to take back\n')
      return 1
    }
    await publication.put('rollback', last.before, { undoes: last.id })
    io.err(`lanner: took back what ${last.actor} published at ${last.time}\n`)
    return 0
  } finally {
    publication.close()
  }
}

function parse(args: readonly string[]) {
  try {
    const options = { bucket: { type: 'string' }, bus: { type: 'string' } } as const
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
