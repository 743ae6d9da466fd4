import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { ApiServer } from './apiserver/start-apiserver.ts'
import { makeAuthority, makeServerCertificate } from './certificate.ts'

/** A container whose log is asked for, or that of its run before. */
export interface AskedLog {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  readonly previous: boolean
}

/**
 * Stands in for the kubelet of a node where an API server asks for logs: `log` has the text, or none when the
 * container had no such run.
 *
 * Source: the kubelet's server, `/containerLogs/`.
 */
export async function startKubelet(
  log: (asked: AskedLog) => string | undefined,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const { keyPem: key, certificatePem: cert } = makeServerCertificate(makeAuthority('kubelet'))
  const server = createServer({ key, cert }, (incoming, response) => {
    const url = new URL(incoming.url ?? '/', 'https://kubelet')
    const [kind, ...names] = url.pathname.slice(1).split('/').map(decodeURIComponent)
    const [namespace = '', pod = '', container = ''] = names
    const previous = url.searchParams.get('previous') === 'true'
    const text = kind === 'containerLogs' ? log({ namespace, pod, container, previous }) : undefined
    if (text === undefined) {
      response.writeHead(400).end(`container "${container}" in pod "${pod}" not found`)
      return
    }
    const lines = url.searchParams.get('tailLines')
    const all = text.split('\n').filter((line) => line !== '')
    const last = lines === null ? all : all.slice(-Number(lines))
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.end(last.map((line) => `${line}\n`).join(''))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Says in the API that a node's kubelet listens on this port of this machine. */
export async function announceKubelet(server: ApiServer, node: string, Port: number) {
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port } },
  }
  await server.call(
    'PATCH',
    `/api/v1/nodes/${node}/status`,
    { status },
    {
      contentType: 'application/merge-patch+json',
    },
  )
}
