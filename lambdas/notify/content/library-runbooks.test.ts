import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { meaningOf, stepsOf } from './runbook-steps.ts'

const library = fileURLToPath(new URL('../../../rules/library/', import.meta.url))
const runbooks = readdirSync(library).filter((name) => /^(?!README).*\.md$/.test(name))
const names = 'namespace pod container workload node pid exe incident cluster image process rule'
const values = Object.fromEntries(names.split(' ').map((name) => [name, `the-${name}`]))

describe.each(runbooks)('%s', (name) => {
  const markdown = readFileSync(`${library}${name}`, 'utf8')

  it('says what it means, and has steps whose values are all known', () => {
    expect(meaningOf(markdown)).toBeTruthy()
    const steps = stepsOf(markdown, values)
    expect(steps.length).toBeGreaterThanOrEqual(3)
    const spans = [...markdown.matchAll(/`[^`]*\{[\w.-]+\}[^`]*`/g)]
    expect(steps.flatMap(({ commands }) => commands)).toHaveLength(spans.length)
    for (const { text } of steps) expect(text).not.toMatch(/\{|\s[.,:]|:$/)
  })
})
