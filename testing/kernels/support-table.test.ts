import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { KernelResult } from './matrix.ts'
import { supportTable } from './support-table.ts'

const root = new URL('../../', import.meta.url)
const text = (path: string) => readFileSync(new URL(path, root), 'utf8')
const results: readonly KernelResult[] = JSON.parse(text('testing/kernels/results.json'))

it('the support table is what the kernels showed', () => {
  expect(text('docs/support.md')).toBe(supportTable(results))
})

it('a system whose kernel was not tried is not claimed', () => {
  const without = supportTable(results.filter(({ release }) => !release.startsWith('6.12.')))
  expect(without).toMatch(/\| Amazon Linux 2023 \| not verified \| not verified \|/)
  expect(supportTable([])).not.toMatch(/\| (verified|inferred) \|/)
})

it('what was not seen is said, group by group', () => {
  const [first] = results.filter(({ loads }) => loads)
  const partly = { ...first!, seen: { ...first!.seen, files: ['open'], network: [] } }
  const [line] = supportTable([partly])
    .split('\n')
    .filter((each) => each.includes(first!.release))
  expect(line).toContain('without open for writing, open by a link')
  expect(line).toContain('not seen')
})
