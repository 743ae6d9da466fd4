import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { LiveAlone } from './live-alone.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A test waits for what it expects; this only ends one that would wait for ever, on however busy a machine. */
const timeouts = { testTimeout: 120_000, hookTimeout: 120_000 }

/** Live tests watch the whole machine: one at a time, after the others, or they see each other. */
export default defineConfig({
  root,
  test: {
    reporters: ['default', new LiveAlone()],
    projects: [
      {
        test: {
          name: 'unit',
          root,
          ...timeouts,
          exclude: ['**/node_modules/**', 'build/**', 'testing/live/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'live',
          root,
          ...timeouts,
          include: ['testing/live/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
