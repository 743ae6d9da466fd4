import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { runLanner } from '#testing/run-lanner.ts'
import { simulations } from './simulations/catalogue.ts'

const library = new URL('../rules/library/', import.meta.url)

it('there is one simulation a rule of the library, under the name of its file', () => {
  const all = readdirSync(library)
  // beside the rules lie the routes and responses to them
  const files = all.filter(
    (name) => /^[a-z-]+\.yaml$/.test(name) && all.includes(name.replace('.yaml', '.test.yaml')),
  )
  expect(simulations.map(({ name }) => `${name}.yaml`).sort()).toEqual(files.sort())
  for (const { name, rule } of simulations) {
    const text = readFileSync(new URL(`${name}.yaml`, library), 'utf8')
    expect(text).toContain(`- rule: ${rule}\n`)
  }
})

it('every rule of the library has a runbook with first steps', () => {
  for (const { name } of simulations) {
    const text = readFileSync(new URL(`${name}.md`, library), 'utf8')
    expect(text).toMatch(
      /## What it means\n[\s\S]+## First steps\n1\. [\s\S]+## When it is harmless\n/,
    )
  }
})

it('an unknown simulation is refused, with the nearest name', async () => {
  const { code, err } = await runLanner('simulate', 'fileles-execution')
  expect(code).toBe(2)
  expect(err).toContain('did you mean fileless-execution?')
})
