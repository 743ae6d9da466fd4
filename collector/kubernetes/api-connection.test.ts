import { rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { makePod } from '#testing/kubernetes/pods.ts'
import { type Kubernetes, startKubernetes } from '#testing/kubernetes/server.ts'
import { ApiConnection, type ApiError, type CallLimits, clusterAddress } from './api-connection.ts'

const limits: CallLimits = { answer: 20_000, idle: 20_000, total: 20_000 }
// A loaded machine may take its time.
vi.setConfig({ testTimeout: 30_000 })
let kubernetes: Kubernetes
beforeEach(async () => {
  kubernetes = await startKubernetes()
})
afterEach(() => kubernetes.stop())

async function read(own: Partial<CallLimits> = {}, signal = new AbortController().signal) {
  const pieces: Buffer[] = []
  const connection = new ApiConnection(kubernetes)
  const reader = { onPiece: (piece: Buffer) => pieces.push(piece) }
  await connection.get('/api/v1/pods', { ...limits, ...own }, reader, signal)
  return Buffer.concat(pieces).toString()
}

function failure(own: Partial<CallLimits> = {}): Promise<ApiError> {
  return read(own).then(
    () => expect.fail('the call should have failed'),
    (error: ApiError) => error,
  )
}

describe('a call', () => {
  it('trusts the authority of the file, and shows the token of the file', async () => {
    kubernetes.pods.add(makePod())
    expect(JSON.parse(await read())).toMatchObject({ kind: 'PodList', items: [{}] })
    expect(kubernetes.requests[0]).toMatchObject({ authorization: 'Bearer token-1', status: 200 })
  })

  it('fails under an old token, and works when the file has the new one', async () => {
    kubernetes.rotateToken({ write: false })
    expect(await failure()).toMatchObject({ status: 401, message: 'HTTP 401: Unauthorized' })
    kubernetes.rotateToken()
    await read()
  })

  it('fails where the authority is another, and works when the file has it', async () => {
    kubernetes.rotateAuthority({ write: false })
    expect((await failure()).message).toMatch(/certificate/)
    expect(kubernetes.requests).toEqual([])
    kubernetes.rotateAuthority()
    await read()
  })

  it('fails under a name that the certificate does not have', async () => {
    // on Linux this is the machine itself, too
    const url = kubernetes.url.replace('127.0.0.1', '0.0.0.0')
    const call = new ApiConnection({ ...kubernetes, url }).get(
      '/',
      limits,
      { onPiece: () => {} },
      AbortSignal.timeout(20_000),
    )
    await expect(call).rejects.toThrow(/altnames/)
  })

  it('says which file is missing', async () => {
    rmSync(kubernetes.tokenFile)
    expect((await failure()).message).toContain(kubernetes.tokenFile)
    writeFileSync(kubernetes.tokenFile, 'token-1')
    await read()
  })

  it('tells how long a server wants to be left alone', async () => {
    kubernetes.faults.next({ kind: 'status', status: 429, retryAfter: 7 })
    expect(await failure()).toMatchObject({ status: 429, retryAfter: 7000 })
    kubernetes.faults.next({ kind: 'status', status: 500 })
    expect(await failure()).toMatchObject({ status: 500, retryAfter: undefined })
  })
})

describe('a call ends', () => {
  it('when there is no answer in time', async () => {
    kubernetes.faults.next({ kind: 'hang' })
    expect((await failure({ answer: 50 })).message).toBe('no answer after 50 ms')
  })

  it('when the answer stops', async () => {
    kubernetes.pods.add(makePod())
    kubernetes.faults.next({ kind: 'dribble', bytes: 200, milliseconds: 3000 })
    expect((await failure({ idle: 50 })).message).toBe('silence for 50 ms')
  })

  it('when the answer takes for ever', async () => {
    kubernetes.pods.add(makePod())
    kubernetes.faults.next({ kind: 'dribble', bytes: 1, milliseconds: 20 })
    expect((await failure({ total: 300 })).message).toBe('no end after 300 ms')
  })

  it('when the connection breaks, at once or in the middle', async () => {
    kubernetes.pods.add(makePod())
    for (const fault of [{ kind: 'refuse' }, { kind: 'drop', afterBytes: 40 }] as const) {
      kubernetes.faults.next(fault)
      expect(await failure()).toMatchObject({ status: 0 })
    }
    await kubernetes.goDown()
    expect((await failure()).message).toMatch(/ECONNREFUSED/)
  })

  it('when it is no longer wanted', async () => {
    kubernetes.faults.next({ kind: 'hang' })
    const end = new AbortController()
    const call = read({}, end.signal)
    end.abort()
    await expect(call).rejects.toMatchObject({ name: 'ApiError', status: 0 })
  })

  it('as soon as its reader objects', async () => {
    const call = new ApiConnection(kubernetes).get(
      '/api/v1/pods',
      limits,
      {
        onPiece: () => {
          throw new SyntaxError('not this')
        },
      },
      AbortSignal.timeout(20_000),
    )
    await expect(call).rejects.toThrow('not this')
  })
})

it('a pod finds its API server in its environment', () => {
  expect(clusterAddress({})).toBeUndefined()
  const env = { KUBERNETES_SERVICE_HOST: '10.100.0.1', KUBERNETES_SERVICE_PORT: '6443' }
  expect(clusterAddress(env)).toEqual({
    url: 'https://10.100.0.1:6443',
    caFile: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
    tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
  })
  expect(clusterAddress({ KUBERNETES_SERVICE_HOST: 'fd00::1' })?.url).toBe('https://[fd00::1]:443')
})
