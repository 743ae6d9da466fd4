import { createServer, type Server } from 'node:http'

/** A figure for Prometheus. */
export interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly values: readonly {
    readonly value: number
    readonly labels?: Readonly<Record<string, string>>
  }[]
}

export interface HealthOptions {
  /** On localhost; nobody else on the network gets an answer. */
  readonly port: number
  /** Why the agent is not well; empty when it is. */
  readonly complaints: () => readonly string[]
  readonly metrics: () => readonly Metric[]
  readonly onError: (error: Error) => void
}

/** Serves /healthz (200, or 503 with the complaints) and /metrics. */
export function serveHealth({ port, complaints, metrics, onError }: HealthOptions): Server {
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string) => {
      response.writeHead(status, {
        'content-type': type,
        'content-length': Buffer.byteLength(body),
      })
      response.end(request.method === 'HEAD' ? undefined : body)
    }
    if (request.method !== 'GET' && request.method !== 'HEAD')
      answer(405, 'text/plain', 'GET only\n')
    else if (request.url === '/healthz') {
      const found = complaints()
      answer(found.length === 0 ? 200 : 503, 'text/plain', `${found.join('\n') || 'ok'}\n`)
    } else if (request.url === '/metrics') {
      answer(200, 'text/plain; version=0.0.4', metricsText(metrics()))
    } else answer(404, 'text/plain', '/healthz or /metrics\n')
  })
  // whoever asks is local: a connection that dawdles is dropped, and few may be open
  server.requestTimeout = 5000
  server.headersTimeout = 5000
  server.keepAliveTimeout = 1000
  server.maxConnections = 8
  server.on('error', onError)
  server.listen(port, '127.0.0.1')
  server.unref()
  return server
}

/** The text format of Prometheus, version 0.0.4. */
export function metricsText(metrics: readonly Metric[]): string {
  return metrics
    .map(({ name, help, type, values }) => {
      const lines = values.map(({ value, labels = {} }) => {
        const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`)
        return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`
      })
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`
    })
    .join('')
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
