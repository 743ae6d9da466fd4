import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { stubAws } from '#testing/aws/environment.ts'
import { runLanner } from '#testing/run-lanner.ts'
import { noteResponses } from '../../lambdas/respond/machine/incident-lines.ts'
import type { ResponseState } from '../../lambdas/respond/machine/response-state.ts'
import { ResponseTable } from '../../lambdas/respond/machine/response-table.ts'
import { DynamoStateStore } from '../../lambdas/shared/dynamo-store.ts'
import { FleetNode } from './fleet.ts'
import { Pipeline } from './pipeline.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

/** A response as its stage writes it, with text that would colour a terminal. */
function responseOf(incident: string): ResponseState {
  const at = Date.parse('2026-11-26T12:00:00Z') / 1000
  return {
    ...{ id: 'r1', incident, cluster: 'c', phase: 'awaiting', rule: { name: 'Isolate' } },
    target: { namespace: 'shop', name: 'web', uid: 'u' },
    lines: [
      {
        ...{ at, type: 'Response Planned', phase: 'awaiting' },
        text: 'waits for approval: \x1b[31mcut',
      },
      { at: at + 9, type: 'Response Failed', phase: 'closed', text: 'refused' },
    ],
  } as unknown as ResponseState
}

let pipeline: Pipeline
beforeAll(async () => {
  pipeline = await Pipeline.start()
  stubAws(pipeline.stack.endpoints)
  const node = new FleetNode('node-0', { containers: 1 })
  const time = BigInt(Date.now()) * 1_000_000n
  for (let at = 0; at < 5; at++) await pipeline.put([node.batch(time + BigInt(at), 40, 30)])
  await pipeline.stack.settle()
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await pipeline.stop()
})

async function incident(...args: string[]) {
  const { names } = pipeline.stack
  const where = ['--table', names.name('table'), '--lake', names.name('lake')]
  return runLanner('incident', ...args, ...where)
}

describe('lanner incident', () => {
  it('lists every detection, those beyond the bus and the item too', async () => {
    const said = pipeline.incidents().last[0]!.incident
    const { code, out, err } = await incident(said.id, '--json')
    expect([code, err]).toEqual([0, ''])
    const [first, ...rest] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(first).toMatchObject({ id: said.id, count: 150, title: 'Sensitive file read' })
    expect(rest).toHaveLength(150)
    const times = rest.map(({ time }) => time)
    expect(times).toEqual([...times].sort())
    const text = await incident(said.id)
    expect(text.out).toContain('Warning: Sensitive file read')
    expect(text.out.match(/Sensitive file opened for reading/g)).toHaveLength(150)
  })

  it('shows what responses did, whatever their texts hold, and says when it cannot look', async () => {
    const { id } = pipeline.incidents().last[0]!.incident
    const table = pipeline.stack.names.name('responses')
    const store = new DynamoStateStore({ table })
    const now = () => Math.floor(Date.now() / 1000)
    const ports = { store, now, sleep: async () => {} }
    await noteResponses(id, ['r1'], ports)
    await new ResponseTable(ports).write(responseOf(id), 0)
    store.close()
    const { code, out, err } = await incident(id, '--responses', table)
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('2026-11-26T12:00:00.000Z  Planned   Isolate: shop/web')
    expect(out).toContain('waits for approval: \\x1b[31mcut')
    expect(out).toContain('2026-11-26T12:00:09.000Z  Failed ')
    expect(out.indexOf('Planned')).toBeLessThan(out.indexOf('Failed'))
    expect(out).not.toContain('\x1b')
    const machine = await incident(id, '--responses', table, '--json')
    const [, first, second, detection] = machine.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(first).toMatchObject({ response: 'r1', n: 0, type: 'Response Planned' })
    expect(second).toMatchObject({ response: 'r1', n: 1, at: '2026-11-26T12:00:09.000Z' })
    expect(detection.rule).toBe('Sensitive file read')
    const none = await incident(id)
    expect(none.out).toContain('responses not looked for')
    const wrong = await incident(id, '--responses', 'no-such-table')
    expect(wrong.code).toBe(1)
    expect(wrong.err).toContain('responses cannot be read from no-such-table')
    expect(wrong.out).toContain('Sensitive file opened for reading')
  })

  it('says what is wrong with an id, and where to look for one that is forgotten', async () => {
    expect((await incident('nonsense')).code).toBe(2)
    const { code, err } = await incident(`${'0'.repeat(20)}-${'0'.repeat(12)}`)
    expect(code).toBe(1)
    expect(err).toContain('--since TIME')
  })
})
