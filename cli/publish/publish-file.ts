import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Diagnostic } from '#load'
import { assignmentKey } from '../../lambdas/shared/rule-sets/rule-sets.ts'
import { inAws, Refused } from '../aws-problem.ts'
import { type Command, type Io, paint, UsageError } from '../io.ts'
import { printable } from '../printable.ts'
import { assignmentIn, type Held } from '../rule-bucket.ts'
import { parseStrictly } from '../rule-options.ts'
import { inColor } from '../rules-check.ts'
import { clustersKind } from './clusters-kind.ts'
import type { FileDifference, FileKind } from './file-kind.ts'
import { namesInForce } from './names-in-force.ts'
import { orTell, overtakenText } from './overtaken.ts'
import { Publication, type PublicationEntry } from './publication.ts'
import { responsesKind } from './responses-kind.ts'
import { routesKind } from './routes-kind.ts'
import { sendersKind } from './senders-kind.ts'

const kinds = {
  ...{ responses: responsesKind, routes: routesKind },
  ...{ clusters: clustersKind, senders: sendersKind },
} as const

const sharedUsage = `  --bucket NAME             bucket of rules (output RulesBucket of the stack lanner-pipeline)
  --bus NAME                bus of Lanner (default lanner-bus)
  --allow-auto              also when something becomes automatic by it
  --dry-run                 show what would change and change nothing; exits as it would otherwise
  --json                    one object, for machines`

const options = {
  bucket: { type: 'string' },
  bus: { type: 'string' },
  over: { type: 'string' },
  'allow-auto': { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  json: { type: 'boolean' },
} as const

interface Asked {
  readonly kind: FileKind
  readonly allowAuto: boolean
  readonly dryRun: boolean
  readonly json: boolean
}

/** The command that publishes such a file. */
export function publishing(what: keyof typeof kinds): Command {
  const kind = kinds[what]
  return {
    usage: `usage: lanner ${what} publish FILE --bucket NAME [OPTION]...

${kind.about}
Functions take it up within half a minute. Nothing is uploaded when there is a mistake, or when somebody
published in between. Who did it and what changed goes onto the bus and into the bucket, where the file before
stays for "${what} rollback". Exits with 1 when it is refused, with 2 when AWS cannot be asked.

  --over ID                 only over this publication, the one that --dry-run showed
${sharedUsage}`,
    async run(args, io) {
      const { values, positionals } = parseStrictly(args, options)
      const [path, more] = positionals
      if (path === undefined) throw new UsageError('which file?')
      if (more !== undefined) throw new UsageError(`unexpected argument "${more}"`)
      const { bucket, bus, over } = values
      if (bucket === undefined) throw new UsageError('--bucket NAME is needed')
      const file = { name: path, text: textOf(path) }
      const diagnostics = kind.check(file)
      if (hasMistakes(diagnostics)) {
        tell(diagnostics, io)
        return 1
      }
      return inAws(`${what} publish`, io, () =>
        withPublication(kind, { bucket, bus }, async (publication, held) => {
          if (over !== undefined && over !== held?.publication) {
            throw new Refused(overtakenText(await publication.since({ publication: over })))
          }
          const assigned = assignmentIn(await publication.bucket.read(assignmentKey))
          const known = await namesInForce(publication.bucket, assigned)
          tell(kind.check(file, known), io)
          if (held?.text === file.text) {
            io.err('lanner: it is in force already\n')
            return 0
          }
          const asked = askedOf(kind, values)
          return change(
            publication,
            { asked, held, text: file.text, io },
            {
              ...{ kind: 'publish', more: { file: basename(path) } },
              done: `in force; functions take it up within half a minute`,
            },
          )
        }),
      )
    },
  }
}

/** The command that takes the last publication of such a file back. */
export function rollingBack(what: keyof typeof kinds): Command {
  const kind = kinds[what]
  return {
    usage: `usage: lanner ${what} rollback --bucket NAME [OPTION]...

Takes back the last publication of ${what} that was not taken back yet: the file before it is in force again.
What becomes automatic by that is refused without --allow-auto, too.

${sharedUsage}`,
    async run(args, io) {
      const { over: _, ...without } = options
      const { values, positionals } = parseStrictly(args, without)
      if (positionals.length > 0) throw new UsageError(`unexpected argument "${positionals[0]}"`)
      const { bucket, bus } = values
      if (bucket === undefined) throw new UsageError('--bucket NAME is needed')
      return inAws(`${what} rollback`, io, () =>
        withPublication(kind, { bucket, bus }, async (publication, held) => {
          const last = await publication.lastPublished()
          if (last === undefined) throw new Refused(publication.nothingToTakeBack())
          const file = { name: kind.key, text: await textBefore(kind, publication, last) }
          const diagnostics = kind.check(file)
          if (hasMistakes(diagnostics)) {
            tell(diagnostics, io)
            throw new Refused('the file before has these mistakes: publish another instead')
          }
          const asked = askedOf(kind, values)
          return change(
            publication,
            { asked, held, text: file.text, io },
            {
              ...{ kind: 'rollback', more: { undoes: last.id } },
              done: `took back what ${last.actor} published at ${last.time}`,
            },
          )
        }),
      )
    },
  }
}

function askedOf(
  kind: FileKind,
  values: {
    readonly 'allow-auto'?: boolean
    readonly 'dry-run'?: boolean
    readonly json?: boolean
  },
): Asked {
  return {
    ...{ kind, allowAuto: values['allow-auto'] === true, dryRun: values['dry-run'] === true },
    json: values.json === true,
  }
}

async function withPublication(
  { what, key }: FileKind,
  { bucket, bus = 'lanner-bus' }: { readonly bucket: string; readonly bus: string | undefined },
  work: (publication: Publication, held: Held | undefined) => Promise<number>,
): Promise<number> {
  const publication = new Publication({ bucket, bus, what, key })
  try {
    return await work(publication, await publication.open())
  } finally {
    publication.close()
  }
}

/** Shows what a text changes, and puts it into force if that may be. */
async function change(
  publication: Publication,
  { asked, held, text, io }: { asked: Asked; held: Held | undefined; text: string; io: Io },
  { kind, more, done }: { kind: PublicationEntry['kind']; more: object; done: string },
): Promise<number> {
  const { allowAuto, dryRun, json } = asked
  const { key, what, compare } = asked.kind
  const difference = await compare(held?.text, text, publication.bucket)
  const { lines: changes, automatic } = difference
  const isRefused = automatic.length > 0 && !allowAuto
  if (json) {
    const inForce = held?.publication ?? null
    io.out(
      `${JSON.stringify({ ...difference, refused: isRefused, published: !isRefused && !dryRun, over: inForce })}\n`,
    )
  } else show(difference, io)
  if (isRefused) {
    throw new Refused(
      'this makes responses automatic, as shown; --allow-auto says that it is meant',
    )
  }
  if (dryRun) {
    const over =
      held?.publication === undefined
        ? ''
        : `; --over ${held.publication} publishes over what is there now alone`
    io.err(`lanner: nothing is published${over}\n`)
    return 0
  }
  const { bucket } = publication
  const before = held === undefined ? null : { sha256: await bucket.keepVersion(what, held.text) }
  const after = { sha256: await bucket.keepVersion(what, text) }
  await orTell(publication, held, () =>
    publication.put({ kind, text, ...more, before, after, changes, automatic }),
  )
  io.err(`lanner: ${key}: ${printable(done)}\n`)
  return 0
}

function show({ lines, automatic }: FileDifference, io: Io): void {
  for (const line of lines) io.out(`${printable(line)}\n`)
  if (lines.length === 0) io.out('nothing that has a meaning changes\n')
  for (const line of automatic) io.out(`${paint('automatic', 'red', io)}: ${printable(line)}\n`)
}

async function textBefore(
  { none, what }: FileKind,
  { bucket }: Publication,
  { before }: PublicationEntry,
): Promise<string> {
  const hash = (before as { readonly sha256?: string } | null)?.sha256
  const text = hash === undefined ? none : await bucket.version(what, hash)
  if (text !== undefined) return text
  throw new Refused(
    hash === undefined
      ? `there were no ${what} before: publish others instead`
      : `the ${what} before, ${hash}, are not in the bucket any more: publish them again`,
  )
}

function tell(diagnostics: readonly Diagnostic[], io: Io): void {
  for (const diagnostic of diagnostics) io.err(`${inColor(diagnostic, io)}\n\n`)
}

function hasMistakes(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === 'error')
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
