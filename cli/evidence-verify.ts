import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { S3Client } from '@aws-sdk/client-s3'
import { verifyEvidence } from '../lambdas/respond/evidence/manifest.ts'
import { S3Evidence } from '../lambdas/respond/evidence/s3-evidence.ts'
import { type Io, paint, UsageError } from './io.ts'
import { printable } from './printable.ts'

export const usage = `usage: lanner evidence verify MANIFEST [--head HASH] [--json]

Checks that evidence is what was collected: every piece by its hash, every entry by the one before it,
and the whole by the last hash, which the response keeps apart from the bucket (lanner approve RESPONSE
shows it). Exits with 1 when anything is missing or says something else.

  MANIFEST                  s3://BUCKET/evidence/…/manifest.json, or a file of a copy of the bucket
  --head HASH               the last hash; without it nobody can tell whether the whole was replaced
  --json                    for machines`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args)
  const [place, ...more] = positionals
  if (place === undefined || more.length > 0) throw new UsageError('one manifest is needed')
  let get: (key: string) => Promise<Uint8Array | undefined>
  let text: Uint8Array | undefined
  try {
    ;({ get, text } = await open(place))
  } catch (error) {
    io.err(`lanner evidence verify: ${printable(place)}: ${printable((error as Error).message)}\n`)
    return 2
  }
  if (text === undefined) {
    io.err(`lanner evidence verify: there is no ${printable(place)}\n`)
    return 2
  }
  const { problems, manifest } = await verifyEvidence(
    Buffer.from(text).toString(),
    get,
    values.head,
  )
  if (values.json === true)
    io.out(`${JSON.stringify({ ok: problems.length === 0, problems, manifest })}\n`)
  else {
    for (const problem of problems) io.err(`${paint('error', 'red', io)}: ${printable(problem)}\n`)
    for (const missing of manifest?.missing ?? [])
      io.out(`was not to be had: ${printable(missing)}\n`)
    const count = manifest?.entries.length ?? 0
    const verdict = problems.length === 0 ? 'as it was collected' : `${problems.length} problems`
    const unsure =
      values.head === undefined ? ' (without --head: the whole may have been replaced)' : ''
    io.out(`${count} pieces of evidence: ${verdict}${unsure}\n`)
  }
  return problems.length === 0 ? 0 : 1
}

async function open(place: string) {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(place) ?? []
  if (bucket !== undefined && key !== undefined) {
    const evidence = new S3Evidence(new S3Client(), bucket)
    return { get: (each: string) => evidence.get(each), text: await evidence.get(key) }
  }
  // a copy of the bucket: keys are paths below the folder that holds `evidence/`
  const at = place.lastIndexOf('evidence/')
  const root = at <= 0 ? '.' : place.slice(0, at)
  const read = (path: string): Uint8Array | undefined => {
    try {
      return readFileSync(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
  const isBelow = (each: string) => !each.split('/').includes('..')
  return {
    get: async (each: string) => (isBelow(each) ? read(join(root, each)) : undefined),
    text: read(place),
  }
}

function parse(args: readonly string[]) {
  try {
    const options = { head: { type: 'string' }, json: { type: 'boolean' } } as const
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0]!)
  }
}
