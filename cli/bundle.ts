import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { type BuildOptions, buildSync } from 'esbuild'

/**
 * Bundles what runs as the unprivileged agent into plain JavaScript: it must start from a directory
 * where the checkout cannot be read, and without type stripping it needs 15 MB less.
 */
const root = new URL('..', import.meta.url).pathname
const common: BuildOptions = {
  absWorkingDir: root,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  banner: {
    // some dependencies are CommonJS and ask for `require`
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'error',
}

buildSync({
  ...common,
  entryPoints: ['cli/agent-main.ts'],
  outfile: 'build/agent.mjs',
  minifySyntax: true,
})

/** `lanner doctor node` of the image, where the rest of the command is not. */
buildSync({
  ...common,
  entryPoints: ['cli/doctor-main.ts'],
  outfile: 'build/doctor.mjs',
  minifySyntax: true,
})

/**
 * The agent of a fleet. What it does not use (the AWS client of a node that only makes alerts, sources
 * of credentials that are not there) stays on disk, in files of its own; source text is memory, so it
 * is small.
 */
const collector = `${root}build/collector`
rmSync(collector, { recursive: true, force: true })
buildSync({
  ...common,
  entryPoints: { main: 'collector/main.ts' },
  outdir: 'build/collector',
  splitting: true,
  minify: true,
  mainFields: ['module', 'main'],
})
// the directory is whole: what an image or a temporary directory needs
if (existsSync(`${root}build/ring.node`)) {
  copyFileSync(`${root}build/ring.node`, `${collector}/ring.node`)
}
