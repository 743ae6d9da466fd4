import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { makeAuthority, makeServerCertificate } from '../certificate.ts'
import { buildPrograms, builtPrograms } from './build.ts'

/** Somebody the server knows by a token. */
export interface ApiUser {
  readonly name: string
  readonly groups?: readonly string[]
}

export interface ApiServerOptions {
  /** Beside the administrator. */
  readonly users?: readonly ApiUser[]
  /** Controllers to run beside it, as kube-controller-manager names them: none. */
  readonly controllers?: readonly string[]
  /** Address of a webhook that says whose a token is that the server does not know itself. */
  readonly authenticator?: string
}

export interface ApiResponse {
  readonly status: number
  /** Parsed when it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: objects of a cluster, looked into by tests
  readonly body: any
}

/** A real kube-apiserver with etcd, alone on this machine: no kubelet, no scheduler. */
export interface ApiServer {
  readonly url: string
  readonly caPem: string
  readonly caFile: string
  /** Of the administrator. */
  readonly token: string
  /** A kubeconfig of the administrator, for kubectl and Helm. */
  readonly kubeconfig: string
  /** Token of one of the users. */
  tokenOf(user: string): string
  /** A call as the administrator. Rejects when the status is 400 or above, unless `expect` is that. */
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<ApiResponse>
  /** Creates an object of any kind, or changes it to this by server-side apply. */
  apply(object: Readonly<Record<string, unknown>>): Promise<ApiResponse>
  stop(): Promise<void>
}

export interface CallOptions {
  readonly contentType?: string
  readonly token?: string
  readonly expect?: number
}

/** Whether {@link startApiServer} starts at once: without it, building takes about ten minutes. */
export function isApiServerBuilt(): boolean {
  return builtPrograms() !== undefined
}

/** Starts the server on a free port, with an authority of its own; builds it first if it must. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const programs = builtPrograms() ?? (await buildPrograms())
  const directory = mkdtempSync(join(tmpdir(), 'lanner-apiserver-'))
  const at = (name: string) => join(directory, name)
  const [etcdPort, peerPort, port] = (await freePorts(3)) as [number, number, number]
  const authority = makeAuthority('kubernetes')
  const server = makeServerCertificate(authority)
  writeFileSync(at('ca.crt'), authority.certificatePem)
  writeFileSync(at('server.crt'), server.certificatePem)
  writeFileSync(at('server.key'), server.keyPem, { mode: 0o600 })
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  writeFileSync(at('accounts.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const users = [{ name: 'admin', groups: ['system:masters'] }, ...(options.users ?? [])]
  const tokens = new Map(users.map(({ name }) => [name, randomBytes(18).toString('base64url')]))
  const rows = users.map(
    ({ name, groups = [] }) => `${tokens.get(name)},${name},${name},"${groups.join(',')}"`,
  )
  writeFileSync(at('tokens.csv'), `${rows.join('\n')}\n`, { mode: 0o600 })
  const token = tokens.get('admin')!
  const url = `https://127.0.0.1:${port}`
  const webhook: string[] = []
  if (options.authenticator !== undefined) {
    writeFileSync(at('authenticator'), authenticatorOf(options.authenticator))
    webhook.push('--authentication-token-webhook-config-file', at('authenticator'))
    webhook.push('--authentication-token-webhook-version', 'v1')
  }
  writeFileSync(at('kubeconfig'), kubeconfigOf(url, authority.certificatePem, token), {
    mode: 0o600,
  })
  const children: ChildProcess[] = []
  const run = (program: string, args: readonly string[]) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: directory })
    const log = createWriteStream(at(`${children.length}.log`))
    child.stdout!.pipe(log)
    child.stderr!.pipe(log)
    children.push(child)
    return child
  }
  const killAll = () => {
    for (const child of children) child.kill('SIGKILL')
  }
  process.on('exit', killAll)
  const stop = async () => {
    for (const child of [...children].reverse()) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    }
    process.off('exit', killAll)
    rmSync(directory, { recursive: true, force: true })
  }
  run(programs.etcd, [
    ...['--data-dir', at('etcd'), '--unsafe-no-fsync', '--log-level', 'error'],
    ...['--listen-client-urls', `http://127.0.0.1:${etcdPort}`],
    ...['--advertise-client-urls', `http://127.0.0.1:${etcdPort}`],
    ...['--listen-peer-urls', `http://127.0.0.1:${peerPort}`],
    ...['--initial-advertise-peer-urls', `http://127.0.0.1:${peerPort}`],
    ...['--initial-cluster', `default=http://127.0.0.1:${peerPort}`],
  ])
  run(programs['kube-apiserver'], [
    ...['--etcd-servers', `http://127.0.0.1:${etcdPort}`],
    ...['--bind-address', '127.0.0.1', '--secure-port', `${port}`],
    ...['--tls-cert-file', at('server.crt'), '--tls-private-key-file', at('server.key')],
    ...['--token-auth-file', at('tokens.csv'), '--authorization-mode', 'RBAC'],
    ...webhook,
    ...['--service-account-issuer', 'https://kubernetes.default.svc'],
    ...['--service-account-key-file', at('accounts.key')],
    ...['--service-account-signing-key-file', at('accounts.key')],
    ...['--service-cluster-ip-range', '10.96.0.0/16', '--endpoint-reconciler-type', 'none'],
    // pods name service accounts that nobody here makes
    ...['--disable-admission-plugins', 'ServiceAccount', '--allow-privileged', '--v', '0'],
  ])
  const call: ApiServer['call'] = async (method, path, body, more = {}) => {
    const response = await send(url, authority.certificatePem, method, path, body, {
      token,
      ...more,
    })
    if (response.status >= 400 && response.status !== more.expect) {
      const text = JSON.stringify(response.body)
      throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 2000)}`)
    }
    return response
  }
  try {
    await ready(call, children, at)
    if (options.controllers !== undefined) {
      run(programs['kube-controller-manager'], [
        ...['--kubeconfig', at('kubeconfig'), '--leader-elect=false', '--secure-port', '0'],
        ...['--controllers', options.controllers.join(','), '--v', '0'],
      ])
    }
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url,
    caPem: authority.certificatePem,
    caFile: at('ca.crt'),
    token,
    kubeconfig: at('kubeconfig'),
    tokenOf(user) {
      const found = tokens.get(user)
      if (found === undefined) throw new Error(`there is no user "${user}"`)
      return found
    },
    call,
    apply: (object) =>
      call('PATCH', `${pathOf(object)}?fieldManager=test&force=true`, object, {
        contentType: 'application/apply-patch+yaml',
      }),
    stop,
  }
}

async function ready(
  call: ApiServer['call'],
  children: readonly ChildProcess[],
  at: (name: string) => string,
): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const dead = children.findIndex(({ exitCode, signalCode }) => exitCode !== null || signalCode)
    if (dead >= 0) {
      const log = readFileSync(at(`${dead}.log`), 'utf8')
      throw new Error(`${children[dead]!.spawnfile} ended: ${log.slice(-2000)}`)
    }
    try {
      await call('GET', '/readyz')
      await call('GET', '/api/v1/namespaces/default')
      return
    } catch {
      await delay(100)
    }
  }
  throw new Error('the API server was not ready within a minute')
}

function send(
  url: string,
  ca: string,
  method: string,
  path: string,
  body: unknown,
  { contentType = 'application/json', token }: CallOptions,
): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const outgoing = request(
      new URL(path, url),
      {
        method,
        ca,
        agent: false,
        headers: {
          authorization: `Bearer ${token}`,
          ...(text !== undefined && { 'content-type': contentType }),
        },
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const all = Buffer.concat(chunks).toString()
          const isJson = incoming.headers['content-type']?.startsWith('application/json') === true
          resolve({ status: incoming.statusCode ?? 0, body: isJson ? JSON.parse(all) : all })
        })
      },
    )
    outgoing.setTimeout(20_000, () => outgoing.destroy(new Error(`${method} ${path}: no answer`)))
    outgoing.on('error', reject)
    outgoing.end(text)
  })
}

/** Where an object lies. The kinds tests use have regular plurals, but for these. */
const plurals: Readonly<Record<string, string>> = {
  NetworkPolicy: 'networkpolicies',
  ClusterNetworkPolicy: 'clusternetworkpolicies',
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
}
const clusterWide = new Set([
  ...['Namespace', 'Node', 'ClusterRole', 'ClusterRoleBinding', 'CustomResourceDefinition'],
  ...['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding', 'ClusterNetworkPolicy'],
])

/** The path of an object in the API. */
export function pathOf(object: Readonly<Record<string, unknown>>): string {
  const { apiVersion, kind, metadata } = object as {
    apiVersion: string
    kind: string
    metadata: { name: string; namespace?: string }
  }
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const plural = plurals[kind] ?? `${kind.toLowerCase()}s`
  const within = clusterWide.has(kind) ? '' : `/namespaces/${metadata.namespace ?? 'default'}`
  return `${root}${within}/${plural}/${encodeURIComponent(metadata.name)}`
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      return (server.address() as { port: number }).port
    }),
  )
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

function kubeconfigOf(server: string, ca: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'test',
        cluster: {
          server,
          'certificate-authority-data': Buffer.from(ca).toString('base64'),
        },
      },
    ],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  })
}

function authenticatorOf(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'authenticator', cluster: { server } }],
    users: [{ name: 'apiserver' }],
    contexts: [{ name: 'webhook', context: { cluster: 'authenticator', user: 'apiserver' } }],
    'current-context': 'webhook',
  })
}
