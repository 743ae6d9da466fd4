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
    return { code, states: Object.fromEntries(checks.map(({ name, state }) => [name, state])) }
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
    expect(await ask()).toEqual({
      code: 0,
      states: {
        version: 'ok',
        'network policies': 'limited',
        'hard deny': 'ok',
        roles: 'ok',
        admission: 'ok',
      },
    })
    await cluster.server.apply(plugin(['--enable-network-policy=false']))
    expect(await ask()).toMatchObject({ code: 1, states: { 'network policies': 'missing' } })
    await cluster.server.apply(plugin(['--enable-network-policy=true']))
    expect(await ask()).toMatchObject({ code: 0, states: { 'network policies': 'ok' } })
    const binding =
      '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/lanner-respond-pods'
    await cluster.server.call('DELETE', binding)
    expect(await ask()).toMatchObject({ code: 1, states: { admission: 'missing' } })
  })
})
