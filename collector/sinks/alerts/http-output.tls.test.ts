import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { expect, it, vi } from 'vitest'
import { makeAuthority, makeServerCertificate } from '#testing/kubernetes/certificate.ts'
import { openHttpOutput } from './http-output.ts'

it('alerts go over TLS to a receiver that is trusted, and to no other', async () => {
  const authority = makeAuthority('test')
  const { keyPem, certificatePem } = makeServerCertificate(authority)
  const bodies: string[] = []
  const server = createServer({ key: keyPem, cert: certificatePem }, async (request, response) => {
    for await (const part of request) bodies.push(String(part))
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const said: string[] = []
  const limits = { giveUpMs: 10, closeMs: 1000 }
  const open = () => openHttpOutput({ url, announce: (text) => said.push(text), limits })
  const trusted = getCACertificates()
  try {
    const refused = open()
    refused.write('{"n":1}')
    await vi.waitFor(() => expect(refused.figures.dropped).toBe(1), { timeout: 60_000 })
    await refused.close()
    expect(said).toEqual([expect.stringMatching(/not taken for 0.01 s \(UNABLE_TO_VERIFY/)])
    setDefaultCACertificates([...trusted, authority.certificatePem])
    const taken = open()
    taken.write('{"n":2}')
    await vi.waitFor(() => expect(taken.figures.written).toBe(1), { timeout: 60_000 })
    await taken.close()
    expect(bodies).toEqual(['{"n":2}'])
  } finally {
    setDefaultCACertificates(trusted)
    server.closeAllConnections()
    server.close()
  }
})
