import { clusterAddress } from '../../collector/kubernetes/index.ts'
import type { Check } from '../machine.ts'
import { whyNot } from './file-access.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** What `kubernetes` in the configuration says. */
export interface KubernetesSettings {
  readonly mode: 'auto' | 'on' | 'off'
  readonly url: string
  readonly ca: string
  readonly token: string
}

/** Whether pods of this node can be known: an API, and files to trust it and be trusted by. */
export function checkKubernetes(
  { mode, url, ca, token }: KubernetesSettings,
  environment: Environment,
): readonly Check[] {
  const name = 'Kubernetes'
  if (mode === 'off') return [{ name, state: 'ok', found: 'kubernetes.mode is off', advice: '' }]
  const pod = clusterAddress(environment)
  const address = url === '' ? pod?.url : url
  if (address === undefined) {
    return [
      mode === 'on'
        ? {
            name,
            state: 'missing',
            found: 'kubernetes.mode is on, but this is not a pod',
            advice: 'set kubernetes.url, or run it as a pod',
          }
        : {
            name,
            state: 'ok',
            found: 'not in a pod: containers are known, pods are not',
            advice: '',
          },
    ]
  }
  const place = pod === undefined ? 'not in a pod' : 'in a pod'
  return [
    { name, state: 'ok', found: `${place}, API at ${address}`, advice: '' },
    checkFile('Kubernetes CA', ca, 'kubernetes.ca'),
    checkFile('Kubernetes token', token, 'kubernetes.token'),
  ]
}

function checkFile(name: string, path: string, setting: string): Check {
  const reason = whyNot(path, ['read'])
  if (reason === '') return { name, state: 'ok', found: `${path} is readable`, advice: '' }
  const advice = reason.endsWith('not exist')
    ? `mount the service account's files (automountServiceAccountToken), or set ${setting}`
    : 'set securityContext.fsGroup: 65534 in the pod, so that the token is readable for the agent'
  return { name, state: 'missing', found: reason, advice }
}
