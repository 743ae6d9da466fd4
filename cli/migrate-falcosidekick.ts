import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readRoutes } from '#routes'
import { type Io, UsageError } from './io.ts'
import { convertFalcosidekick, type KeyFate } from './migrate/convert-falcosidekick.ts'
import { printable } from './printable.ts'
import { inColor } from './rules-check.ts'

export const usage = `usage: lanner migrate falcosidekick CONFIG [--out FILE] [OPTION]...

Writes a first routes file from Falcosidekick's configuration, and says of every key what became of it:
converted, reachable (its output stays with Falcosidekick, which gets our alerts), or dropped and why.
Secrets are not copied: it says which to create in Secrets Manager, with which members.

  --out FILE                where to write the routes: standard output
  --url URL                 where Falcosidekick listens: http://falcosidekick.falco:2801
  --json                    the fate of each key as JSON on standard error`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args)
  const [path, ...more] = positionals
  if (path === undefined) throw new UsageError("Falcosidekick's configuration is missing")
  if (more.length > 0) throw new UsageError(`unexpected argument "${more[0]}"`)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  const { routes, fates, secrets, problems } = convertFalcosidekick(
    { name: path, text },
    values.url ?? 'http://falcosidekick.falco:2801',
  )
  if (problems.length > 0) {
    for (const problem of problems) io.err(`error: ${problem}\n`)
    return 1
  }
  const { ok, diagnostics } = readRoutes({ name: values.out ?? 'routes.yaml', text: routes })
  if (values.out === undefined) io.out(routes)
  else writeFileSync(values.out, routes)
  if (values.json) io.err(`${JSON.stringify({ keys: fates, secrets })}\n`)
  else report(fates, secrets, io)
  for (const diagnostic of diagnostics) io.err(`${inColor(diagnostic, io)}\n\n`)
  return ok ? 0 : 1
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { out: { type: 'string' }, url: { type: 'string' }, json: { type: 'boolean' } },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function report(
  fates: readonly KeyFate[],
  secrets: Readonly<Record<string, readonly string[]>>,
  io: Io,
): void {
  for (const { key, line, fate, why } of fates) {
    io.err(`${String(line).padStart(4)}  ${fate.padEnd(9)}  ${printable(key)}: ${printable(why)}\n`)
  }
  for (const [name, members] of Object.entries(secrets)) {
    io.err(`secret ${name}: {${members.map((member) => `"${member}": "…"`).join(', ')}}\n`)
  }
  const count = (fate: KeyFate['fate']) => fates.filter((one) => one.fate === fate).length
  io.err(
    `${fates.length} keys: ${count('converted')} converted, ${count('reachable')} reachable ` +
      `through Falcosidekick, ${count('dropped')} dropped\n`,
  )
}
