import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runLanner } from '#testing/run-lanner.ts'
import type { Check } from './machine.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lanner-doctor-'))
  chmodSync(directory, 0o755)
})
afterEach(() => rmSync(directory, { recursive: true }))

const doctor = (...args: string[]) => runLanner('doctor', ...args)

interface Findings {
  readonly live: boolean
  readonly checks: readonly Check[]
  readonly collector: readonly Check[]
  readonly agent: unknown
}

function config(text: string): string {
  const path = join(directory, 'config.yaml')
  writeFileSync(path, `${text}\nhealth: {port: 0}\n`)
  return path
}

const rules = () => {
  const path = join(directory, 'rules.yaml')
  writeFileSync(path, '[]\n')
  chmodSync(path, 0o644)
  return path
}

describe('lanner doctor', () => {
  it('finds nothing missing of a collector that nobody has configured', async () => {
    const { collector } = JSON.parse((await doctor('--json')).out) as Findings
    expect(collector.length).toBeGreaterThan(4)
    expect(collector.filter(({ state }) => state === 'missing')).toEqual([])
  })

  it('says what a configuration needs and does not get, and ends with 1', async () => {
    const path = config(
      `rules: {paths: [${rules()}, ${directory}/none.yaml]}\nkinesis: {stream: s}\nspool: {directory: ${directory}/spool}`,
    )
    const { code, out } = await doctor('--config', path, '--json')
    expect(code).toBe(1)
    const { collector, agent } = JSON.parse(out) as Findings
    const missing = collector.filter(({ state }) => state === 'missing')
    expect(missing.map(({ found }) => found)).toContain(`${directory}/none.yaml does not exist`)
    expect(collector.filter(({ advice }) => advice === '').length).toBeGreaterThan(2)
    expect(agent).toBeNull()
  })

  it('tells every mistake of a configuration, or that there is none', async () => {
    const wrong = await doctor('--config', config('ruls: x'))
    expect(wrong.code).toBe(1)
    expect(wrong.out).toMatch(
      /MISSING configuration +.*config\.yaml:1:1: there is no setting "ruls"/,
    )
    const none = await doctor('--config', join(directory, 'none'))
    expect(none.code).toBe(1)
    expect(none.out).toContain('no such file')
  })

  it('reads for people: a mark, what was found, and what to do', async () => {
    const path = config(`rules: {paths: ${rules()}}\nalerts: {mode: always}`)
    const { out } = await doctor('--config', path)
    expect(out).toMatch(/^This machine\n/)
    expect(out).toMatch(/\n {2}ok +configuration +\/.*config\.yaml\n/)
    // a node that ships nothing needs neither spool nor AWS
    expect(out).not.toMatch(/spool|AWS/)
  })
})
