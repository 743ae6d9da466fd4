import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { metricsText, serveHealth } from './health.ts'

let close: (() => void) | undefined
afterEach(() => close?.())

async function serve(complaints: readonly string[] = []) {
  const server = serveHealth({
    port: 0,
    complaints: () => complaints,
    metrics: () => [{ name: 'm_total', help: 'h', type: 'counter', values: [{ value: 3 }] }],
    onError: (error) => {
      throw error
    },
  })
  close = () => server.close()
  await once(server, 'listening')
  const { address, port } = server.address() as AddressInfo
  return {
    address,
    get: (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method }),
  }
}

describe('the health of the agent', () => {
  it('is told on this machine alone', async () => {
    expect((await serve()).address).toBe('127.0.0.1')
  })

  it('is good without complaints, and else says them', async () => {
    const good = await (await serve()).get('/healthz')
    expect([good.status, await good.text()]).toEqual([200, 'ok\n'])
    close?.()
    const bad = await (await serve(['no disk', 'no time'])).get('/healthz')
    expect([bad.status, await bad.text()]).toEqual([503, 'no disk\nno time\n'])
  })

  it('comes with figures, and with nothing else', async () => {
    const { get } = await serve()
    expect(await (await get('/metrics')).text()).toBe(
      '# HELP m_total h\n# TYPE m_total counter\nm_total 3\n',
    )
    expect((await get('/etc/passwd')).status).toBe(404)
    expect((await get('/metrics', 'POST')).status).toBe(405)
  })
})

it('labels are escaped as Prometheus wants them', () => {
  const values = [{ value: 1, labels: { path: 'a"b\\c\nd' } }]
  expect(metricsText([{ name: 'm', help: 'h', type: 'gauge', values }])).toContain(
    'm{path="a\\"b\\\\c\\nd"} 1\n',
  )
})
