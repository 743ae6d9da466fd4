import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { expect, it } from 'vitest'
import type { StageContract } from '../lambdas/shared/contract.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Which bucket it is, by the file that reads it; else that of rules. */
const buckets: Readonly<Record<string, string>> = {
  'lambdas/respond/evidence/s3-evidence.ts': 'evidence',
}

/** Our sources that a function is made of. */
function sourcesOf(stage: string): string[] {
  const { metafile } = buildSync({
    ...{ absWorkingDir: root, entryPoints: [`lambdas/${stage}/handler.ts`], bundle: true },
    ...{ platform: 'node', format: 'esm', write: false, metafile: true, packages: 'external' },
    outdir: 'unused',
  })
  return Object.keys(metafile.inputs).filter((path) => path.startsWith('lambdas/'))
}

const stages = readdirSync(`${root}lambdas`).filter((name) =>
  existsSync(`${root}lambdas/${name}/handler.ts`),
)

it('functions that go on without an object may list its bucket: else S3 answers 403 for it, not 404', async () => {
  const found: string[] = []
  for (const stage of stages) {
    const { permissions } = (await import(`../lambdas/${stage}/contract.ts`))
      .contract as StageContract
    for (const path of sourcesOf(stage)) {
      if (!readFileSync(`${root}${path}`, 'utf8').includes('NoSuchKey')) continue
      const bucket = buckets[path] ?? 'rules'
      const mayList = permissions.some(
        ({ actions, on, below }) =>
          actions.includes('s3:ListBucket') && on === bucket && below === undefined,
      )
      found.push(`${stage} ${bucket} ${mayList}`)
    }
  }
  expect(new Set(found)).toEqual(
    new Set(['evaluate rules true', 'respond rules true', 'respond evidence true']),
  )
})
