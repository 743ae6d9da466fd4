import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { SourceFile } from './diagnostic.ts'

export interface FilesResult {
  readonly files: readonly SourceFile[]
  /** Those called `*.correlation.yaml`: rules over the detections of the others. */
  readonly correlations: readonly SourceFile[]
  /** Those called `*.suppression.yaml`: approved exceptions. */
  readonly suppressions: readonly SourceFile[]
  /** Those called `responses.yaml` or `*.responses.yaml`: what answers a detection. */
  readonly responses: readonly SourceFile[]
  /** Those called `routes.yaml` or `*.routes.yaml`: whom detections reach. */
  readonly routes: readonly SourceFile[]
  /** Paths that cannot be read, or hold no rules, with the reason. */
  readonly problems: readonly { readonly path: string; readonly message: string }[]
}

/**
 * Reads rules files in the order of the paths. A directory stands for its `*.yaml` and `*.yml` files
 * in the order of their names, without sub-directories and without the `*.test.yaml` files that hold
 * the tests of rules.
 */
export function readRuleFiles(paths: readonly string[]): FilesResult {
  const files: SourceFile[] = []
  const correlations: SourceFile[] = []
  const suppressions: SourceFile[] = []
  const responses: SourceFile[] = []
  const routes: SourceFile[] = []
  const problems: { path: string; message: string }[] = []
  const fail = (path: string, error: unknown) => {
    problems.push({ path, message: error instanceof Error ? error.message : String(error) })
  }
  for (const path of paths) {
    try {
      const names = statSync(path).isDirectory() ? rulesIn(path) : [path]
      if (names.length === 0) fail(path, 'the directory holds no *.yaml file')
      for (const name of names) {
        try {
          const file = { name, text: readFileSync(name, 'utf8') }
          if (/\.correlation\.ya?ml$/.test(name)) correlations.push(file)
          else if (/\.suppression\.ya?ml$/.test(name)) suppressions.push(file)
          else if (/(?:^|[/\\.])responses\.ya?ml$/.test(name)) responses.push(file)
          else if (/(?:^|[/.])routes\.ya?ml$/.test(name)) routes.push(file)
          else files.push(file)
        } catch (error) {
          fail(name, error)
        }
      }
    } catch (error) {
      fail(path, error)
    }
  }
  return { files, correlations, suppressions, responses, routes, problems }
}

function rulesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map(({ name }) => name)
    .filter((name) => /\.ya?ml$/.test(name) && !/\.test\.ya?ml$/.test(name))
    .sort()
    .map((name) => join(directory, name))
}
