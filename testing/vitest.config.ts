import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Live tests watch the whole machine: one at a time, after the others, or they see each other. */
export default defineConfig({
  root,
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          root,
          exclude: ['**/node_modules/**', 'build/**', 'testing/live/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'live',
          root,
          include: ['testing/live/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
