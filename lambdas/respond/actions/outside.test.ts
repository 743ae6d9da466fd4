import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { outside } from './outside.ts'

const message = {
  id: 'r-1',
  response: 'r',
  incident: 'i',
  cluster: 'c',
  rule: 'x',
  target: {} as never,
}
const servers: { close(): void; closeAllConnections(): void }[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function hook(answer: number | 'never' | 'elsewhere') {
  const got: { headers: IncomingMessage['headers']; body: string }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      got.push({ headers: request.headers, body })
      if (answer === 'elsewhere')
        response.writeHead(302, { location: 'http://169.254.169.254/' }).end()
      else if (answer !== 'never') response.writeHead(answer).end()
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const call = outside({
    invokeFunction: async () => ({ status: 200 }),
    secret: async (name) => `secret of ${name}`,
    now: () => 1_800_000_000,
    timeoutMs: 300,
  })
  return { got, result: await call({ via: 'webhook', target, secret: 'hook' }, message) }
}

describe('a webhook', () => {
  it('gets what is known, signed, with a key by which a second call would be seen', async () => {
    const { got, result } = await hook(204)
    expect(result).toEqual({ status: 'done' })
    const [{ headers, body }] = got as [(typeof got)[0]]
    expect(JSON.parse(body)).toEqual(message)
    expect(headers['idempotency-key']).toBe('r-1')
    const expected = createHmac('sha256', 'secret of hook')
      .update(`1800000000.${body}`)
      .digest('hex')
    expect(headers['x-lanner-signature']).toBe(`v1=${expected}`)
  })
  it('that refuses has failed', async () => {
    expect((await hook(500)).result).toMatchObject({ status: 'failed' })
  })
  it('that does not answer is unknown, and not called again', async () => {
    const { got, result } = await hook('never')
    expect(result).toMatchObject({ status: 'ambiguous' })
    expect(got).toHaveLength(1)
  })
  it('that leads elsewhere is not followed', async () => {
    expect((await hook('elsewhere')).result).toMatchObject({ status: 'ambiguous' })
  })
})

describe('a function', () => {
  const invoke = (answer: { status: number; functionError?: string }) =>
    outside({ invokeFunction: async () => answer, secret: async () => '', now: () => 0 })(
      { via: 'lambda', target: 'f', qualifier: '$LATEST', invocation: 'Event' },
      message,
    )
  it('is done, or has failed', async () => {
    expect(await invoke({ status: 202 })).toEqual({ status: 'done' })
    expect(await invoke({ status: 200, functionError: 'Unhandled' })).toMatchObject({
      status: 'failed',
    })
  })
})
