import { afterAll, beforeAll, describe } from 'vitest'
import { pathOf } from '#testing/kubernetes/apiserver/start-apiserver.ts'
import { FakeKube } from './fake-kube.ts'
import { kubeContract } from './kube-contract.ts'
import { isRealClusterWanted, type RealCluster, startRealCluster } from './real-cluster.ts'

describe.skipIf(!isRealClusterWanted)('what responses rely on holds', () => {
  let cluster: RealCluster
  beforeAll(async () => {
    cluster = await startRealCluster()
  }, 1_200_000)
  afterAll(() => cluster?.stop())

  kubeContract('of a real API server', async () => {
    const namespace = await cluster.namespace()
    return {
      ...{ kube: cluster.kubeOf('admin'), namespace },
      async apply(object) {
        await cluster.server.apply(object)
      },
      async setStatus(path, status) {
        const contentType = 'application/merge-patch+json'
        await cluster.server.call('PATCH', `${path}/status`, { status }, { contentType })
      },
    }
  })
})

describe('what responses rely on holds', () => {
  kubeContract('of the cluster in memory', async () => {
    const kube = new FakeKube()
    kube.put('/api/v1/nodes/n1', { metadata: { name: 'n1' }, spec: {} })
    return {
      ...{ kube, namespace: 'test' },
      async apply(object) {
        kube.applyAs('test', pathOf(object), object)
      },
      async setStatus(path, status) {
        kube.put(path, { ...kube.objects.get(path), status })
      },
    }
  })
})
