import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { stringify } from 'yaml'
import type { SourceFile } from '#load'
import { type Io, UsageError } from '../io.ts'

/** What etcd takes of an object, less a margin for its envelope. */
const mostBytes = 1_000_000

export interface ConfigMap {
  readonly text: string
  /** To a file, or to standard output for `-`. */
  write(path: string, io: Io): void
}

/** The rules files as the ConfigMap whose directory nodes watch. Names keep their order. */
export function configMap(files: readonly SourceFile[]): ConfigMap {
  const data = Object.fromEntries(
    files.map(({ name, text }, at) => {
      const safe = basename(name).replace(/[^\w.-]/g, '_')
      return [`${String(at).padStart(3, '0')}-${safe}`, text]
    }),
  )
  const bytes = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
  if (bytes > mostBytes) {
    throw new UsageError(`the rules have ${bytes} bytes: a ConfigMap takes ${mostBytes}`)
  }
  const text = stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'lanner-rules', labels: { 'app.kubernetes.io/part-of': 'lanner' } },
    data,
  })
  return {
    text,
    write(path, io) {
      if (path === '-') io.out(text)
      else writeFileSync(path, text)
    },
  }
}
