import { rmSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What a function runs, whole: the runtime's own copy of the AWS SDK is of whatever version it has. */
export interface Bundle {
  readonly directory: string
  readonly bytes: number
}

/** Bundles all handlers by one call, each with all it needs into a directory of its own below `into`. */
export function bundleHandlers(
  stages: readonly string[],
  into = `${root}build/lambdas`,
): Readonly<Record<string, Bundle>> {
  rmSync(into, { recursive: true, force: true })
  buildSync({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(
      stages.map((stage) => [`${stage}/index`, `lambdas/${stage}/handler.ts`]),
    ),
    outdir: into,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minify: true,
    keepNames: true,
    mainFields: ['module', 'main'],
    banner: {
      // some dependencies are CommonJS and ask for `require`
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'error',
  })
  return Object.fromEntries(
    stages.map((stage) => {
      const directory = `${into}/${stage}`
      return [stage, { directory, bytes: statSync(`${directory}/index.mjs`).size }]
    }),
  )
}
