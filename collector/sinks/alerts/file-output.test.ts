import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openFileOutput } from './file-output.ts'

let directory = ''
let path = ''
let said: string[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lanner-alerts-'))
  path = join(directory, 'alerts.json')
  said = []
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function open(facts: { path?: string; limit?: number; keep?: number } = {}) {
  return openFileOutput({
    path,
    limit: 1 << 20,
    keep: 3,
    announce: (text) => said.push(text),
    ...facts,
  })
}

const alert = (number: number, fill = 0) => JSON.stringify({ number, fill: 'x'.repeat(fill) })
const numbersIn = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line).number as number)
const upTo = (count: number) => [...Array(count).keys()]

/** Until so many alerts are written or dropped. */
async function settled(output: ReturnType<typeof open>, count: number): Promise<void> {
  await vi.waitFor(
    () => expect(output.figures.written + output.figures.dropped).toBeGreaterThanOrEqual(count),
    { timeout: 60_000, interval: 2 },
  )
}

describe('alerts in a file', () => {
  it('are appended to what is there', async () => {
    writeFileSync(path, `${alert(0)}\n`)
    const output = open()
    output.write(alert(1))
    await output.close()
    expect(numbersIn(path)).toEqual([0, 1])
    output.write(alert(2))
    expect(output.figures).toEqual({ written: 1, dropped: 1 })
  })

  it('cannot be read by everybody', async () => {
    const mask = process.umask(0)
    try {
      open()
    } finally {
      process.umask(mask)
    }
    expect(statSync(path).mode & 0o777).toBe(0o640)
  })

  it('are rotated under load without a line lost or torn, and no file passes the limit', async () => {
    const limit = 10_000
    const output = open({ limit, keep: 100 })
    for (const number of upTo(2000)) {
      output.write(alert(number, number % 300))
      if (number % 37 === 0) await settled(output, number - 500)
    }
    await output.close()
    expect(output.figures).toEqual({ written: 2000, dropped: 0 })
    const count = readdirSync(directory).length
    expect(count).toBeGreaterThan(30)
    const files = upTo(count).map((n) => (n === 0 ? path : `${path}.${n}`))
    for (const file of files) expect(statSync(file).size).toBeLessThanOrEqual(limit)
    expect(files.reverse().flatMap(numbersIn)).toEqual(upTo(2000))
  })

  it('are kept in no more files than asked for', async () => {
    for (const keep of [0, 2]) {
      const output = open({ limit: 100, keep })
      for (const number of upTo(30)) output.write(alert(number, 40))
      await output.close()
      expect(numbersIn(path).at(-1)).toBe(29)
      expect(readdirSync(directory).length).toBe(keep + 1)
    }
  })

  it('are written whole even when one alone is longer than the limit', async () => {
    const output = open({ limit: 100, keep: 1 })
    for (const [number, fill] of [10, 500, 10].entries()) output.write(alert(number, fill))
    await output.close()
    expect(numbersIn(`${path}.1`)).toEqual([1])
    expect(numbersIn(path)).toEqual([2])
  })

  it('go on in a new file when another program moves or removes theirs', async () => {
    const output = open()
    output.write(alert(0))
    await settled(output, 1)
    renameSync(path, `${path}-moved`)
    output.write(alert(1))
    await settled(output, 2)
    rmSync(path)
    output.write(alert(2))
    await output.close()
    expect(numbersIn(`${path}-moved`)).toEqual([0])
    expect(numbersIn(path)).toEqual([2])
    expect(said).toEqual([])
  })

  it('go on from the beginning when another program copies and truncates theirs', async () => {
    const output = open({ limit: 200 })
    output.write(alert(0, 100))
    await settled(output, 1)
    copyFileSync(path, `${path}-copy`)
    truncateSync(path)
    output.write(alert(1, 100))
    await output.close()
    expect(numbersIn(`${path}-copy`)).toEqual([0])
    expect(numbersIn(path)).toEqual([1])
    expect(existsSync(`${path}.1`)).toBe(false)
  })

  it('are dropped, counted and said once when their directory is gone, and come again with it', async () => {
    path = join(directory, 'sub', 'alerts.json')
    mkdirSync(join(directory, 'sub'))
    const output = open()
    rmSync(join(directory, 'sub'), { recursive: true })
    for (const number of upTo(3)) {
      output.write(alert(number))
      await settled(output, number + 1)
    }
    mkdirSync(join(directory, 'sub'))
    output.write(alert(3))
    await output.close()
    expect(numbersIn(path)).toEqual([3])
    expect(output.figures).toEqual({ written: 1, dropped: 3 })
    expect(said).toEqual([`alerts to ${path} are dropped: ENOENT at open`])
  })

  it('cannot be opened: the error names the setting and the path', () => {
    expect(() => open({ path: directory })).toThrow(
      `alerts.file.path: cannot write to ${directory}: it is not a regular file`,
    )
    expect(() => open({ path: '/dev/full' })).toThrow('it is not a regular file')
    const gone = join(directory, 'gone', 'alerts.json')
    expect(() => open({ path: gone })).toThrow(/^alerts.file.path: cannot write to .*ENOENT/)
  })
})

/** A file system of 64 KiB; why there is none here, otherwise. */
function mountTiny(at: string): string | undefined {
  if (process.getuid?.() !== 0) return 'mounting needs root'
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'lanner-test', at], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `mount: ${(error as Error).message}`
  }
}

describe('alerts on a full disk', () => {
  it('are dropped and said once, leave no half line, and come again with space', async (context) => {
    const at = join(directory, 'tiny')
    mkdirSync(at)
    const obstacle = mountTiny(at)
    if (obstacle !== undefined) return context.skip(obstacle)
    try {
      chmodSync(at, 0o700)
      path = join(at, 'alerts.json')
      const output = open()
      for (const number of upTo(50)) {
        output.write(alert(number, 3000))
        await settled(output, number + 1)
      }
      const { written, dropped } = output.figures
      expect(written).toBeGreaterThan(5)
      expect(dropped).toBeGreaterThan(5)
      expect(said).toEqual([`alerts to ${path} are dropped: the disk is full`])
      expect(numbersIn(path)).toEqual(upTo(written))
      rmSync(path)
      output.write(alert(99))
      await output.close()
      expect(numbersIn(path)).toEqual([99])
    } finally {
      execFileSync('umount', ['-l', at])
    }
  })
})
