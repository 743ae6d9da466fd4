import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Kubernetes, startKubernetes } from '#testing/kubernetes/server.ts'
import { nodeInstance } from './node-instance.ts'

let kubernetes: Kubernetes
beforeAll(async () => {
  kubernetes = await startKubernetes()
})
afterAll(() => kubernetes.stop())

const ask = (node: string) => nodeInstance(kubernetes, node, AbortSignal.timeout(5000))

it('the machine of a node is the last part of its providerID', async () => {
  kubernetes.nodes.set('a', { spec: { providerID: 'aws:///eu-west-1a/i-0123456789abcdef0' } })
  expect(await ask('a')).toBe('i-0123456789abcdef0')
})

it('the machine of a node is not known without one, or without the node', async () => {
  kubernetes.nodes.set('b', { spec: {} })
  await expect(ask('b')).rejects.toThrow('node b has no providerID')
  await expect(ask('c')).rejects.toMatchObject({ name: 'ApiError', status: 404 })
})
