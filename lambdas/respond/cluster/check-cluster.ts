import { type Kube, readList, readObject } from '../kubernetes/kube.ts'
import type { KubeObject } from '../world/objects.ts'
import { unreadGroups } from '../world/read-world.ts'
import { heldByResponses } from './left-behind.ts'

export interface ClusterCheck {
  readonly name: string
  readonly state: 'ok' | 'limited' | 'missing'
  readonly detail: string
  readonly advice?: string
}

interface DaemonSet extends KubeObject {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly { readonly name: string; readonly args?: readonly string[] }[]
      }
    }
  }
}

const classes = ['read', 'mark', 'contain', 'destroy', 'node'] as const
/** Bindings of the admission policies. */
const policies = ['pods', 'evictions-protected', 'policies', 'nodes'] as const

/**
 * What a cluster has of what responses need, as far as its API tells; reads only. Whether its network
 * plugin really enforces a policy no API tells: the proof after the first quarantine does.
 */
export async function checkCluster(kube: Kube): Promise<ClusterCheck[]> {
  const { body } = await kube.send({ method: 'GET', path: '/version' })
  const version = (body as { gitVersion?: string }).gitVersion ?? 'unknown'
  const groups = await readObject<{ readonly groups: readonly { readonly name: string }[] }>(
    kube,
    '/apis',
  )
  const names = new Set((groups?.groups ?? []).map(({ name }) => name))
  return [
    checkVersion(version),
    ...(await checkNetwork(kube, names)),
    ...(await checkRoles(kube)),
    await checkAdmission(kube),
    await checkHeld(kube),
  ]
}

function checkVersion(version: string): ClusterCheck {
  const [, minor = '0'] = /^v1\.(\d+)/.exec(version) ?? []
  return Number(minor) >= 30
    ? { name: 'version', state: 'ok', detail: version }
    : {
        ...{ name: 'version', state: 'missing', detail: version },
        advice: 'admission policies need Kubernetes 1.30',
      }
}

async function checkNetwork(kube: Kube, groups: ReadonlySet<string>): Promise<ClusterCheck[]> {
  const hard: ClusterCheck = groups.has('networking.k8s.aws')
    ? { name: 'hard deny', state: 'ok', detail: 'ClusterNetworkPolicy is there' }
    : {
        ...{ name: 'hard deny', state: 'limited', detail: 'no ClusterNetworkPolicy' },
        advice: 'allows of other policies stay open in a quarantine; the plan names them',
      }
  const unread = Object.entries(unreadGroups).filter(([group]) => groups.has(group))
  const others = unread.map(([group, owner]): ClusterCheck => {
    return {
      ...{
        name: `policies of ${group}`,
        state: 'limited',
        detail: `those of ${owner} are not read`,
      },
      advice: 'they may allow what a quarantine forbids: none is ever proven to be contained here',
    }
  })
  if (groups.has('cilium.io') || groups.has('crd.projectcalico.org')) {
    const which = groups.has('cilium.io') ? 'Cilium' : 'Calico'
    const enforced = `${which} enforces them`
    return [{ name: 'network policies', state: 'ok', detail: enforced }, hard, ...others]
  }
  const plugin = await readObject<DaemonSet>(
    kube,
    '/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node',
  )
  if (plugin === undefined) {
    const detail = 'no network plugin that is known here'
    const advice =
      'find out whether yours enforces NetworkPolicies: the API takes them all the same'
    return [{ name: 'network policies', state: 'limited', detail, advice }, hard, ...others]
  }
  const args = plugin.spec.template.spec.containers.flatMap((each) => each.args ?? [])
  const isOn = args.includes('--enable-network-policy=true')
  return [
    isOn
      ? {
          name: 'network policies',
          state: 'ok',
          detail: 'the VPC CNI enforces them; pods of one name and node share rules',
        }
      : {
          ...{
            name: 'network policies',
            state: 'missing',
            detail: 'the VPC CNI does not enforce them',
          },
          advice: 'set enableNetworkPolicy in the add-on vpc-cni: without it no quarantine holds',
        },
    hard,
    ...others,
  ]
}

async function checkRoles(kube: Kube): Promise<ClusterCheck[]> {
  const roles = await readList<KubeObject>(
    kube,
    '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  )
  const found = new Set((roles ?? []).map(({ metadata }) => metadata.name))
  const absent = classes.filter((risk) => !found.has(`lanner-respond-${risk}`))
  if (absent.length === 0) return [{ name: 'roles', state: 'ok', detail: classes.join(', ') }]
  return [
    {
      ...{ name: 'roles', state: absent.includes('read') ? 'missing' : 'limited' },
      detail: `none for ${absent.join(', ')}`,
      advice: 'kubectl apply -f lambdas/respond/cluster/roles.yaml',
    },
  ]
}

async function checkAdmission(kube: Kube): Promise<ClusterCheck> {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings'
  const bindings = await readList<KubeObject>(kube, path)
  const found = (bindings ?? []).map(({ metadata }) => metadata.name)
  const absent = policies.filter((each) => !found.includes(`lanner-respond-${each}`))
  return absent.length === 0
    ? {
        name: 'admission',
        state: 'ok',
        detail: 'protected pods are out of reach of every response',
      }
    : {
        ...{ name: 'admission', state: 'missing', detail: `no policies for ${absent.join(', ')}` },
        advice: 'kubectl apply -f lambdas/respond/cluster/admission.yaml',
      }
}

/** Named so that somebody who takes Lanner out of the cluster knows what to let go first. */
async function checkHeld(kube: Kube): Promise<ClusterCheck> {
  const held = await heldByResponses(kube)
  if (held.length === 0) return { name: 'held', state: 'ok', detail: 'nothing' }
  const more = held.length > mostShown ? ` and ${held.length - mostShown} more` : ''
  return {
    ...{ name: 'held', state: 'limited' },
    detail: `${held.slice(0, mostShown).join(', ')}${more}`,
    advice:
      'by responses, which undo it at their end; `lanner approve RESPONSE --release` does it now',
  }
}

const mostShown = 20
