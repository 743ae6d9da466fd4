import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { streamOutput } from './stream-output.ts'

/** Writes `argv[1]` alerts of 1 KiB to its standard output, a hundred each turn, then closes. */
const program = `
import { streamOutput } from ${JSON.stringify(fileURLToPath(new URL('stream-output.ts', import.meta.url)))}
const said = []
const output = streamOutput({
  stream: process.stdout, name: 'standard output', closeMs: Number(process.argv[2]),
  announce: (text) => said.push(text),
})
let longestTurn = 0
let last = performance.now()
for (let i = 0; i < Number(process.argv[1]); i++) {
  output.write(JSON.stringify({ number: i, text: 'x'.repeat(1000) }))
  if (i % 100 !== 99) continue
  await new Promise((resolve) => setImmediate(resolve))
  longestTurn = Math.max(longestTurn, performance.now() - last)
  last = performance.now()
}
await output.close()
process.stderr.write(JSON.stringify({ ...output.figures, said, longestTurn }))
process.exit(0)
`

let child: ChildProcess | undefined
afterEach(() => child?.kill('SIGKILL'))

function start(alerts: number, closeMs: number) {
  child = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    program,
    String(alerts),
    String(closeMs),
  ])
  const { stdout, stderr } = child
  let told = ''
  stderr!.on('data', (data) => {
    told += data
  })
  const end = async () => {
    await once(child!, 'exit')
    return JSON.parse(told)
  }
  return { stdout: stdout!, end }
}

describe('alerts on standard output', () => {
  it('all arrive, in order, where somebody reads', async () => {
    const { stdout, end } = start(900, 60_000)
    let text = ''
    stdout.on('data', (data) => {
      text += data
    })
    const { written, dropped, said } = await end()
    expect({ written, dropped, said }).toEqual({ written: 900, dropped: 0, said: [] })
    const numbers = text.trimEnd().split('\n')
    expect(numbers.map((line) => JSON.parse(line).number)).toEqual([...Array(900).keys()])
  })

  it('never wait for a reader that stalls: what does not fit is dropped, said once', async () => {
    const { end } = start(20_000, 300)
    const { written, dropped, said, longestTurn } = await end()
    expect(written + dropped).toBe(20_000)
    expect(dropped).toBeGreaterThan(18_000)
    expect(said).toEqual([
      'alerts to standard output are dropped: 1024 KiB of them wait already',
      expect.stringContaining('not taken in time for the end'),
    ])
    expect(longestTurn).toBeLessThan(2000)
  })

  it('end with their reader, and the agent goes on', async () => {
    const { stdout, end } = start(5000, 60_000)
    stdout.destroy()
    const { written, dropped, said } = await end()
    expect(written + dropped).toBe(5000)
    expect(said).toEqual([
      'alerts to standard output are dropped: nobody reads it any more (EPIPE)',
    ])
  })

  it('of one turn are one write', async () => {
    const writes: string[] = []
    const stream = new Writable({
      write: (chunk, _, done) => {
        writes.push(String(chunk))
        done()
      },
    })
    const output = streamOutput({ stream, name: 'it', announce: () => {} })
    for (const line of ['a', 'b', 'c']) output.write(line)
    await output.close()
    expect(writes).toEqual(['a\nb\nc\n'])
    expect(output.figures).toEqual({ written: 3, dropped: 0 })
  })
})
