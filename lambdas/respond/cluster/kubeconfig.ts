import { KubeConfig } from '@kubernetes/client-node'
import { KubeClient } from '../kubernetes/client.ts'
import type { Kube } from '../kubernetes/kube.ts'

/** The way to the cluster that a kubeconfig names, as the person it names. Throws when it names none. */
export function kubeOfConfig(path: string | undefined, context: string | undefined): Kube {
  const config = new KubeConfig()
  if (path === undefined) config.loadFromDefault()
  else config.loadFromFile(path)
  if (context !== undefined) config.setCurrentContext(context)
  const cluster = config.getCurrentCluster()
  if (cluster === null)
    throw new Error(`the kubeconfig has no cluster for ${context ?? 'its context'}`)
  const caPem = Buffer.from(cluster.caData ?? '', 'base64').toString()
  return new KubeClient({
    cluster: { name: cluster.name, server: cluster.server, caPem },
    async token() {
      const options: { headers?: Record<string, string> } = {}
      await config.applyToHTTPSOptions(options as never)
      const header = String(options.headers?.['Authorization'] ?? '')
      if (!header.startsWith('Bearer '))
        throw new Error('only tokens are supported: no certificates of clients')
      return header.slice('Bearer '.length)
    },
  })
}
