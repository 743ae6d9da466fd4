import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../cli/doctor-cluster.ts'
import {
  isRealClusterWanted,
  type RealCluster,
  startRealCluster,
} from '../../lambdas/respond/testing/real-cluster.ts'

describe.skipIf(!isRealClusterWanted)('lanner doctor cluster', () => {
  let cluster: RealCluster
  beforeAll(async () => {
    cluster = await startRealCluster({ clusterPolicies: true })
  }, 1_200_000)
  afterAll(() => cluster?.stop())

  const ask = async () => {
    let out = ''
    const add = (text: string) => {
      out += text
    }
    const io = { out: add, err: add, color: false }
    const code = await run(['--kubeconfig', cluster.server.kubeconfig, '--json'], io)
    const { checks } = JSON.parse(out) as {
      checks: { name: string; state: string; detail: string }[]
    }
    return {
      code,
      checks,
      states: Object.fromEntries(checks.map(({ name, state }) => [name, state])),
    }
  }
  const plugin = (args: readonly string[]) => ({
    ...{
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'aws-node', namespace: 'kube-system' },
    },
    spec: {
      selector: { matchLabels: { app: 'aws-node' } },
      template: {
        metadata: { labels: { app: 'aws-node' } },
        spec: { containers: [{ name: 'aws-eks-nodeagent', image: 'x', args }] },
      },
    },
  })

  it('knows what is there, and what is not', async () => {
    expect(await ask()).toMatchObject({
      code: 0,
      states: {
        version: 'ok',
        'network policies': 'limited',
        'hard deny': 'ok',
        roles: 'ok',
        admission: 'ok',
        held: 'ok',
      },
    })
    await cluster.server.apply(plugin(['--enable-network-policy=false']))
    expect(await ask()).toMatchObject({ code: 1, states: { 'network policies': 'missing' } })
    await cluster.server.apply(plugin(['--enable-network-policy=true']))
    expect(await ask()).toMatchObject({ code: 0, states: { 'network policies': 'ok' } })
    await cluster.server.apply({
      ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
      metadata: {
        name: 'ciliumnetworkpolicies.cilium.io',
      },
      spec: {
        ...{ group: 'cilium.io', scope: 'Namespaced' },
        names: { kind: 'CiliumNetworkPolicy', plural: 'ciliumnetworkpolicies' },
        versions: [
          {
            ...{ name: 'v2', served: true, storage: true },
            schema: { openAPIV3Schema: { type: 'object' } },
          },
        ],
      },
    })
    const unread = async () => (await ask()).states['policies of cilium.io']
    await expect.poll(unread, { timeout: 20_000 }).toBe('limited')
    const binding =
      '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/lanner-respond-pods'
    await cluster.server.call('DELETE', binding)
    expect(await ask()).toMatchObject({ code: 1, states: { admission: 'missing' } })
  })

  it('names what responses hold, for whoever takes Lanner out', async () => {
    const { server } = cluster
    await server.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'left' } })
    await server.apply({
      ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
      metadata: {
        name: 'lanner-quarantine-abc',
        namespace: 'left',
        labels: { 'lanner.dev/response': 'abc' },
      },
      spec: { podSelector: {} },
    })
    await server.apply({
      ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
      metadata: { name: 'theirs', namespace: 'left' },
      spec: { podSelector: {} },
    })
    await server.apply({
      ...{ apiVersion: 'v1', kind: 'Node' },
      metadata: { name: 'held-1', annotations: { 'cordon.lanner.dev/abc': 'schedulable' } },
    })
    const { checks } = await ask()
    expect(checks.find(({ name }) => name === 'held')).toMatchObject({
      state: 'limited',
      detail: 'networkpolicy left/lanner-quarantine-abc, node held-1',
    })
  })
})
