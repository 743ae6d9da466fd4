import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAuthority, makeServerCertificate } from '#testing/kubernetes/certificate.ts'
import { Clusters } from '../access/clusters.ts'
import { KubeClient } from './client.ts'
import { Unanswered } from './kube.ts'

const authority = makeAuthority('one')
const other = makeAuthority('two')
const { keyPem, certificatePem } = makeServerCertificate(authority)
const tokens: string[] = []
let hang = false
const server = createServer({ key: keyPem, cert: certificatePem }, (request, response) => {
  const token = request.headers.authorization ?? ''
  tokens.push(token)
  if (hang) return
  if (token === 'Bearer old') response.writeHead(401).end('{}')
  else if (request.url === '/slow') response.writeHead(429, { 'retry-after': '7' }).end('busy')
  else {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify({
        url: request.url,
        method: request.method,
        type: request.headers['content-type'],
      }),
    )
  }
})
let url = ''
beforeAll(async () => {
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
const client = (caPem = authority.certificatePem, token = async () => 'new', more: object = {}) =>
  new KubeClient({ cluster: { name: 'c', server: url, caPem }, token, ...more })

describe('the way to a cluster', () => {
  it('asks as it is told', async () => {
    const reply = await client().send({
      method: 'PATCH',
      path: '/a/b%2Fc',
      query: { x: '1&2' },
      contentType: 'application/merge-patch+json',
      body: {},
    })
    expect(reply).toEqual({
      status: 200,
      body: { url: '/a/b%2Fc?x=1%262', method: 'PATCH', type: 'application/merge-patch+json' },
    })
    expect(await client().send({ method: 'GET', path: '/slow' })).toEqual({
      status: 429,
      body: 'busy',
      retryAfter: 7,
    })
  })

  it('trusts the authority of the cluster alone, and is not made without one', async () => {
    const before = tokens.length
    await expect(client(other.certificatePem).send({ method: 'GET', path: '/' })).rejects.toThrow(
      Unanswered,
    )
    expect(tokens).toHaveLength(before)
    expect(() => client('')).toThrow('no authority')
    expect(
      () =>
        new KubeClient({
          cluster: { name: 'c', server: 'http://x', caPem: 'BEGIN CERTIFICATE' },
          token: async () => '',
        }),
    ).toThrow('no https')
  })

  it('takes a new token once when the old one is refused', async () => {
    let now = 'old'
    const onRefused = () => {
      now = 'new'
    }
    const reply = await client(undefined, async () => now, { onRefused }).send({
      method: 'GET',
      path: '/',
    })
    expect(reply.status).toBe(200)
    const refused = await client(undefined, async () => 'old').send({ method: 'GET', path: '/' })
    expect(refused.status).toBe(401)
  })

  it('waits no longer than it may', async () => {
    hang = true
    await expect(
      client(undefined, undefined, { timeoutMs: 100 }).send({ method: 'DELETE', path: '/' }),
    ).rejects.toThrow(Unanswered)
    hang = false
  })
})

describe('the clusters that are known', () => {
  const good = {
    server: 'https://x',
    caPem: 'BEGIN CERTIFICATE',
    region: 'r',
    roles: { read: 'arn:read' },
  }
  it('gives a way for a class that has a role, of several clusters, each session by itself', async () => {
    const assumed: string[] = []
    const clusters = new Clusters(async (role, session) => {
      assumed.push(`${role} ${session}`)
      return {
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
        until: new Date(8_640_000_000_000),
      }
    }, Date.now)
    const known = (name: string) => ({
      ...good,
      name,
      server: url,
      caPem: authority.certificatePem,
    })
    const ask = async (name: string, session: string) => {
      const kube = await clusters.kubes(known(name), session)('read')
      return (await kube.send({ method: 'GET', path: '/' })).status
    }
    expect([await ask('a', 's1'), await ask('a', 's1'), await ask('a', 's2')]).toEqual([
      200, 200, 200,
    ])
    expect(assumed).toEqual(['arn:read s1', 'arn:read s2'])
    expect(tokens.at(-1)).toMatch(/^Bearer k8s-aws-v1\./)
    await expect(clusters.kubes(known('a'), 's')('destroy')).rejects.toThrow('no role for destroy')
  })
})
