import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundleHandlers } from '../../../infra/bundle.ts'
import { topology } from '../../../infra/topology/index.ts'
import { spread, type Table } from '../figures.ts'

const starts = 7

/** What each function weighs, and how long a fresh process takes to load it. */
export async function coldStart(): Promise<Table[]> {
  const into = mkdtempSync(join(tmpdir(), 'lanner-bundles-'))
  try {
    const bundles = bundleHandlers(
      topology.functions.map(({ stage }) => stage),
      into,
    )
    const rows = topology.functions.map(({ stage, env }) => {
      const { directory, bytes } = bundles[stage]!
      const values = Object.keys(env).map((name) => [name, `http://127.0.0.1/${name}`])
      const variables = { ...Object.fromEntries(values), ...surroundings }
      const url = pathToFileURL(`${directory}/index.mjs`).href
      const times = Array.from({ length: starts }, () => loadTime(url, variables))
      return [stage, `${Math.round(bytes / 1024)}`, spread(times, 0)]
    })
    return [
      {
        title: 'Cold start',
        note: `Importing the bundled handler in a fresh process of Node, ${starts} times each.`,
        columns: ['function', 'KiB', 'ms'],
        rows,
      },
    ]
  } finally {
    rmSync(into, { recursive: true, force: true })
  }
}

function loadTime(url: string, env: Readonly<Record<string, string>>): number {
  const program =
    'const start = performance.now(); const { handler } = await import(process.argv[1]); const ms = performance.now() - start;' +
    "if (typeof handler !== 'function') throw new Error('no handler'); console.log('ms', ms); process.exit()"
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', program, url], {
    ...{ env, encoding: 'utf8', timeout: 30_000 },
  })
  const found = /^ms ([\d.]+)$/m.exec(text)?.[1]
  if (found === undefined) throw new Error(`${url} did not load: ${text}`)
  return Number(found)
}

/** No handler calls a service while it is loaded: nothing listens there. */
const surroundings = {
  ...{ AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: 'http://127.0.0.1:9' },
  ...{ AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' },
  AWS_EC2_METADATA_DISABLED: 'true',
}
