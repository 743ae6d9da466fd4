import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ApiServer, isApiServerBuilt, startApiServer } from './start-apiserver.ts'

const isWanted = isApiServerBuilt() || process.env['LANNER_LONG'] === '1'

describe.skipIf(!isWanted)('a real API server on this machine', () => {
  let server: ApiServer
  beforeAll(async () => {
    server = await startApiServer({ users: [{ name: 'nobody' }] })
  }, 1_200_000)
  afterAll(() => server?.stop())

  it('keeps objects, and knows who may do what', async () => {
    const { body } = await server.call('GET', '/version')
    expect(body.gitVersion).toMatch(/^v1\.35\./)
    await server.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop' } }
    await server.apply({ ...map, data: { a: '1' } })
    const path = '/api/v1/namespaces/shop/configmaps/a'
    expect((await server.call('GET', path)).body.data).toEqual({ a: '1' })
    const token = server.tokenOf('nobody')
    expect((await server.call('GET', path, undefined, { token, expect: 403 })).status).toBe(403)
    const stranger = { token: 'stranger', expect: 401 }
    expect((await server.call('GET', path, undefined, stranger)).status).toBe(401)
  })
})
