import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Metric, serveHealth } from '../../collector/health.ts'
import { askAgent } from './running-agent.ts'

let server: Server | undefined
afterEach(async () => {
  server?.closeAllConnections()
  server?.close()
})

const metric = (name: string, value: number, labels: Record<string, string> = {}): Metric => ({
  ...{ name: `lanner_${name}`, help: 'h', type: 'gauge' },
  values: [{ value, labels }],
})

/** What the agent of this repository serves. */
async function agentWith(metrics: readonly Metric[], complaints: readonly string[] = []) {
  const problems: Error[] = []
  server = serveHealth({
    port: 0,
    complaints: () => complaints,
    metrics: () => [metric('rules', 25), ...metrics],
    onError: (error) => problems.push(error),
  })
  await once(server, 'listening')
  const agent = await askAgent((server.address() as AddressInfo).port)
  expect(problems).toEqual([])
  return agent!
}

const states = (agent: Awaited<ReturnType<typeof agentWith>>) =>
  Object.fromEntries(agent.checks.map(({ name, state }) => [name, state]))

describe('an agent that runs', () => {
  it('is well when nothing is lost and nothing waits', async () => {
    const agent = await agentWith([
      metric('records_total', 80),
      metric('syscalls_rejected_total', 20, { reason: 'path' }),
      metric('spool_bytes', 10_000),
      metric('kubernetes', 1, { figure: 'connected' }),
    ])
    const well = { agent: 'ok', 'its rules': 'ok', 'its losses': 'ok', 'its shipping': 'ok' }
    expect(states(agent)).toEqual({ ...well, 'its pods': 'ok' })
    expect(agent.stages[0]).toMatchObject({ name: 'seen', events: 100 })
  })

  it('says where it loses, and what to do where it loses most', async () => {
    const agent = await agentWith([
      {
        ...metric('events_lost_total', 0),
        values: [
          { value: 3, labels: { place: 'ring-file' } },
          { value: 9, labels: { place: 'limit' } },
          { value: 0, labels: { place: 'sink' } },
        ],
      },
    ])
    expect(agent.checks.find(({ name }) => name === 'its losses')).toEqual({
      name: 'its losses',
      state: 'limited',
      found: '9 at limit, 3 at ring-file, in this run',
      advice: expect.stringContaining('limit.events'),
    })
  })

  it('is missing something when it complains, and cannot paint the terminal', async () => {
    const agent = await agentWith([], ['batches wait for 400 s: \u001b[31mno stream'])
    expect(agent.checks[0]).toMatchObject({
      state: 'missing',
      found: 'runs, and is not well: batches wait for 400 s: \\x1b[31mno stream',
    })
  })

  it('may be behind with its batches, without its pods, or with refused rules', async () => {
    const agent = await agentWith([
      metric('oldest_unsent_seconds', 90),
      metric('spool_bytes', 1),
      metric('send_failures_total', 4, { kind: 'denied' }),
      metric('rules_refused_total', 1),
      metric('kubernetes', 0, { figure: 'connected' }),
    ])
    const behind = { 'its rules': 'limited', 'its shipping': 'limited', 'its pods': 'limited' }
    expect(states(agent)).toMatchObject(behind)
    expect(agent.checks.find(({ name }) => name === 'its shipping')!.found).toMatch(/denied 4×$/)
  })

  it('is not what else answers, or nothing', async () => {
    server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const agent = await askAgent(port)
    expect(agent?.checks[0]?.found).toBe(`something else answers at port ${port}`)
    server.close()
    await once(server, 'close')
    expect(await askAgent(port)).toBeUndefined()
  })
})
