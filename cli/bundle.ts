import { buildSync } from 'esbuild'

/**
 * Bundles what runs as the unprivileged agent into one file of plain JavaScript: it must start from
 * a directory where the checkout cannot be read, and without type stripping it needs 15 MB less.
 */
buildSync({
  absWorkingDir: new URL('..', import.meta.url).pathname,
  entryPoints: { agent: 'cli/agent-main.ts', collector: 'collector/main.ts' },
  outdir: 'build',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minifySyntax: true,
  banner: {
    // some dependencies are CommonJS and ask for `require`
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'error',
})
