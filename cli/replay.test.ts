import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { runLanner } from '#testing/run-lanner.ts'

const scratch = mkdtempSync(join(tmpdir(), 'lanner-replay-'))
const recorded = readFileSync(new URL('./recorded/attack.trace', import.meta.url))
const library = fileURLToPath(new URL('../rules/library', import.meta.url))
afterAll(() => rmSync(scratch, { recursive: true }))

async function replay(trace: Uint8Array, ...more: string[]) {
  const path = join(scratch, 'trace')
  writeFileSync(path, trace)
  return runLanner('replay', path, '--rules', library, '--rule-matching', 'all', ...more)
}

function alertsOf(out: string): { rule: string; lanner: { id: string; runbook?: string } }[] {
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

describe('replaying the recorded attack', () => {
  it('shows every rule of the library at work', async () => {
    const { code, out, err } = await replay(recorded, '--json')
    expect(code).toBe(0)
    expect(new Set(alertsOf(out).map(({ rule }) => rule)).size).toBe(13)
    expect(err).toMatch(
      /^lanner: 3 correlations left out: .*\nlanner: \d+ events in 1 batches, \d+ detections by 13 rules\n$/,
    )
  })

  it('gives every alert the same id again, and a runbook', async () => {
    const ids = async () =>
      alertsOf((await replay(recorded, '--json')).out).map(({ lanner }) => lanner.id)
    const first = await ids()
    expect(await ids()).toEqual(first)
    expect(new Set(first).size).toBe(first.length)
    const { out } = await replay(recorded, '--json')
    expect(alertsOf(out)[0]?.lanner.runbook).toMatch(/container-shell\.md$/)
  })

  it('shows people the ancestry and leaves out what is not known', async () => {
    const { out } = await replay(recorded)
    expect(out).toMatch(/nginx\(\d+\) > sh\(\d+\) > cat\(\d+\)/)
    expect(out).not.toContain('<NA>')
  })

  it('finds nothing private in it', () => {
    expect(recorded.toString('latin1')).not.toMatch(/\/home|\/root\/|\/work|token|password=/i)
  })
})

describe('a damaged trace', () => {
  it('that is cut is evaluated up to the cut, which is named', async () => {
    const { code, out, err } = await replay(Buffer.concat([recorded, recorded.subarray(0, 900)]))
    expect(code).toBe(1)
    expect(out).toContain('Shell in container')
    expect(err).toMatch(/error: .*trace: the file ends inside batch 1 .*at byte \d+/)
  })

  it('with a batch whose bytes are wrong is evaluated around it, and the batch is named', async () => {
    const wrong = Buffer.from(recorded)
    for (let at = 400; at < 420; at++) wrong[at]! ^= 0xff
    const { code, out, err } = await replay(Buffer.concat([recorded, wrong, recorded]))
    expect(code).toBe(1)
    expect(err).toMatch(/error: .*trace: batch 1: .*\n/)
    expect(out.match(/Fileless execution/g)).toHaveLength(2)
  })

  it('of another format says what it is not', async () => {
    const { code, err } = await replay(Buffer.from('GIF89a, or something else altogether'))
    expect(code).toBe(1)
    expect(err).toMatch(/error: .*batch 0/)
  })

  it('that does not exist is wrong usage', async () => {
    expect((await runLanner('replay', '/nowhere', '--rules', library)).code).toBe(2)
    expect((await runLanner('replay')).code).toBe(2)
  })
})
