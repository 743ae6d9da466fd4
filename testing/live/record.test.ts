import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { whyNotLive } from './machine.ts'
import { act, lanner } from './watcher.ts'

const reason = whyNotLive()
const library = fileURLToPath(new URL('../../rules/library', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'lanner-record-'))
afterAll(() => rmSync(scratch, { recursive: true }))

describe.skipIf(reason !== '')(`live: a recording ${reason}`, () => {
  it('replays to the same detections, with the ancestors of the moment', async () => {
    const trace = join(scratch, 'trace')
    const recorder = spawn(lanner, ['record', '--out', trace], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    await new Promise<void>((resolve) => {
      recorder.stderr.on('data', (text) => {
        said += text
        if (said.includes('recording')) resolve()
      })
    })
    await act('named', 'recorded-parent', '--', 'child', '--', 'memfd', '/bin/true')
    await act('open', '/etc/shadow', 'r')
    recorder.kill('SIGINT')
    await once(recorder, 'exit')
    expect(said).toMatch(/\d+ events in \d+ batches, \d+ bytes .* 0 lost/)
    const args = ['replay', trace, '--rules', library, '--rule-matching', 'all', '--json']
    const { stdout, status } = spawnSync(lanner, args, { encoding: 'utf8' })
    expect(status).toBe(0)
    const alerts = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
    const memory = alerts.find(({ rule }) => rule === 'Fileless execution')
    expect(memory.lanner.lineage.map(({ name }: { name: string }) => name)).toContain(
      'recorded-parent',
    )
    expect(alerts.some(({ rule }) => rule === 'Sensitive file read')).toBe(true)
  })
})

describe.skipIf(reason !== '')(`live: rules with mistakes ${reason}`, () => {
  it('are refused with every mistake at its place, and nothing is watched', () => {
    const path = join(scratch, 'bad.yaml')
    writeFileSync(
      path,
      '- rule: one\n  desc: d\n  condition: evt.type = execv and proc.nmae = x\n  output: o\n  priority: NOTICE\n' +
        '- rule: two\n  desc: d\n  condition: evt.type = open and undefined_macro\n  output: "%fd.nam"\n  priority: LOUD\n',
    )
    const { status, stderr } = spawnSync(lanner, ['watch', '--rules', path, '--duration', '1'], {
      encoding: 'utf8',
    })
    expect(status).toBe(1)
    expect(stderr).toContain(`${path}:3:`)
    expect(stderr).toContain('proc.name')
    expect(stderr).toMatch(/LOUD/)
    expect(stderr).not.toContain('watching')
  })
})
