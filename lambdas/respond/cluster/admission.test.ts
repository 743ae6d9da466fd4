import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Action } from '#responses'
import { messageOf } from '../kubernetes/kube.ts'
import { makePlan } from '../machine/make-plan.ts'
import { isRealClusterWanted, type RealCluster, startRealCluster } from '../testing/real-cluster.ts'

const response = '0123456789abcdef01234567'
const short = response.slice(0, 12)
const label: Action = { kind: 'label', what: 'labels', level: 'pod', set: { seen: 'true' } }

describe.skipIf(!isRealClusterWanted)('in the cluster itself', () => {
  let cluster: RealCluster
  let namespace: string
  let uid: string
  beforeAll(async () => {
    cluster = await startRealCluster()
  }, 1_200_000)
  afterAll(() => cluster?.stop())

  const path = (name = 'web') => `/api/v1/namespaces/${namespace}/pods/${name}`
  const start = async () => {
    namespace = await cluster.namespace()
    uid = await cluster.pod(namespace, 'web', { labels: { app: 'web' } })
  }
  const send = (user: string, method: string, where: string, body?: unknown) =>
    cluster.kubeOf(user).send({
      ...{ method, path: where, body },
      ...(method === 'PATCH' && { contentType: 'application/merge-patch+json' }),
    })
  const change = (labels: object, more: object = {}) => ({
    metadata: { labels, annotations: { 'lanner.dev/incident': 'i' } },
    ...more,
  })
  const said = async (...call: Parameters<typeof send>) => {
    const { status, body } = await send(...call)
    return `${status} ${messageOf(body) ?? ''}`
  }

  it('a class has its own rights, and no others', async () => {
    await start()
    const secrets = `/api/v1/namespaces/${namespace}/secrets`
    const statuses: Record<string, number[]> = {}
    for (const user of ['read', 'mark', 'contain', 'destroy', 'node', 'nobody']) {
      statuses[user] = [
        (await send(user, 'GET', path())).status,
        (await send(user, 'GET', secrets)).status,
        (await send(user, 'PATCH', path(), change({ x: user }))).status,
        (
          await send(user, 'PATCH', '/api/v1/nodes/n2', {
            metadata: { annotations: { 'lanner.dev/incident': 'i' } },
          })
        ).status,
        (
          await send(
            user,
            'DELETE',
            `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/none`,
          )
        ).status,
        (await send(user, 'DELETE', path('none'))).status,
      ]
    }
    expect(statuses).toEqual({
      read: [200, 403, 403, 403, 403, 403],
      mark: [200, 403, 200, 403, 403, 403],
      contain: [200, 403, 200, 403, 404, 403],
      destroy: [200, 403, 403, 403, 403, 404],
      node: [403, 403, 403, 200, 403, 403],
      nobody: [403, 403, 403, 403, 403, 403],
    })
  })

  it('protected pods and namespaces are out of reach, whatever the code says', async () => {
    await start()
    await cluster.pod(namespace, 'safe', { labels: { 'lanner.dev/protect': 'true' } })
    await cluster.pod(namespace, 'claims', { labels: { 'app.kubernetes.io/part-of': 'lanner' } })
    await cluster.pod('kube-system', 'dns')
    expect(await said('mark', 'PATCH', path('safe'), change({ a: 'b' }))).toContain('protected')
    expect(await said('destroy', 'DELETE', path('safe'))).toContain('protected')
    expect(await said('mark', 'PATCH', path('claims'), change({ a: 'b' }))).toMatch(/^200/)
    const dns = '/api/v1/namespaces/kube-system/pods/dns'
    expect(await said('mark', 'PATCH', dns, change({ a: 'b' }))).toContain('protected')
    expect(await said('destroy', 'DELETE', dns)).toContain('protected')
    const eviction = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'dns', namespace: 'kube-system' },
    }
    expect(await said('destroy', 'POST', `${dns}/eviction`, eviction)).toContain('protected')
    expect(await cluster.get(dns)).toBeDefined()
  })

  it('an eviction reaches no protected pod, though the API server shows it no pod', async () => {
    await start()
    const evictionOf = (name: string, deleteOptions = {}) =>
      said('destroy', 'POST', `${path(name)}/eviction`, {
        ...{ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } },
        deleteOptions,
      })
    await cluster.pod(namespace, 'safe', { labels: { 'lanner.dev/protect': 'true' } })
    // the server hears of a new pod a moment later than who made it
    await expect
      .poll(() => evictionOf('safe', { dryRun: ['All'] }), { timeout: 5000 })
      .toContain('by its label')
    expect(await evictionOf('safe')).toContain('by its label')
    expect(await cluster.get(path('safe'))).not.toHaveProperty('metadata.deletionTimestamp')
    await cluster.pod(namespace, 'claims', { labels: { 'app.kubernetes.io/part-of': 'lanner' } })
    expect(await evictionOf('claims')).toMatch(/^201/)
    await cluster.pod(namespace, 'open', { labels: { 'lanner.dev/protect': 'no' } })
    expect(await evictionOf('open')).toMatch(/^201/)
    // protected meanwhile, in another namespace
    const other = await cluster.namespace()
    await cluster.pod(other, 'web', { labels: { 'lanner.dev/protect': 'true' } })
    expect(await evictionOf('web')).toMatch(/^201/)
  })

  it('a change names its incident, and is one of labels alone', async () => {
    await start()
    expect(await said('mark', 'PATCH', path(), { metadata: { labels: { a: 'b' } } })).toContain(
      'names the incident',
    )
    const image = { spec: { containers: [{ name: 'app', image: 'evil' }] } }
    const strategic = await cluster.kubeOf('mark').send({
      ...{ method: 'PATCH', path: path(), contentType: 'application/strategic-merge-patch+json' },
      body: { ...change({}), ...image },
    })
    expect(messageOf(strategic.body)).toContain('nothing else')
    const taint = {
      metadata: { annotations: { 'lanner.dev/incident': 'i' } },
      spec: { taints: [{ key: 'a', effect: 'NoExecute' }] },
    }
    expect(await said('node', 'PATCH', '/api/v1/nodes/n1', taint)).toContain('taints none')
  })

  it("policies are a response's own, and select quarantined pods alone", async () => {
    await start()
    const base = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`
    const labels = { 'lanner.dev/response': short, 'app.kubernetes.io/managed-by': 'lanner' }
    const policy = (name: string, labels: object, podSelector: object) => ({
      ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
      ...{ metadata: { name, namespace, labels }, spec: { podSelector } },
    })
    const selector = { matchLabels: { 'lanner.dev/quarantine': short } }
    expect(
      await said('contain', 'POST', base, policy('lanner-quarantine-x', {}, selector)),
    ).toContain('says that it is one')
    expect(
      await said('contain', 'POST', base, policy('lanner-quarantine-x', labels, {})),
    ).toContain('quarantined pods alone')
    expect(
      (await send('contain', 'POST', base, policy('lanner-quarantine-x', labels, selector))).status,
    ).toBe(201)
    await cluster.server.apply(policy('theirs', {}, {}))
    expect(await said('contain', 'DELETE', `${base}/theirs`)).toContain('not its own')
    expect((await send('contain', 'DELETE', `${base}/lanner-quarantine-x`)).status).toBe(200)
  })

  it('a plan says what the cluster would refuse', async () => {
    namespace = await cluster.namespace({ 'lanner.dev/protect': 'true' })
    uid = await cluster.pod(namespace, 'web')
    const made = await makePlan(
      {
        ...{ response, incident: 'i', cluster: 'test', target: { namespace, name: 'web', uid } },
        rule: {
          name: 'r',
          steps: [{ name: 's', action: label, continue: true, ignoreErrors: false }],
          expiresSeconds: 60,
        },
        protect: { namespaces: [], labels: [] },
      },
      cluster.kubes,
    )
    expect(made).toMatchObject({
      plan: { steps: [{ wouldFail: expect.stringContaining('protected') }] },
    })
  })
})
