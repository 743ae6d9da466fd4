/** What responses look at of the objects of a cluster; the API server has checked their shape. */
export interface Meta {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
  readonly deletionTimestamp?: string
}

export interface OwnerReference {
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly apiVersion?: string
}

export interface KubeObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: Meta
}

export interface ContainerStatus {
  readonly name: string
  readonly containerID?: string
  readonly image?: string
  readonly imageID?: string
  readonly restartCount?: number
  /** Its run before. */
  readonly lastState?: { readonly terminated?: { readonly containerID?: string } }
}

export interface Probe {
  readonly httpGet?: { readonly port: number | string }
  readonly tcpSocket?: { readonly port: number | string }
  readonly grpc?: { readonly port: number }
}

export interface Container {
  readonly name: string
  readonly image?: string
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[]
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
  readonly startupProbe?: Probe
}

export interface Pod extends KubeObject {
  readonly spec: {
    readonly nodeName?: string
    readonly hostNetwork?: boolean
    readonly serviceAccountName?: string
    readonly containers?: readonly Container[]
    readonly initContainers?: readonly Container[]
    readonly ephemeralContainers?: readonly { readonly name: string; readonly image?: string }[]
  }
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses?: readonly ContainerStatus[]
    readonly initContainerStatuses?: readonly ContainerStatus[]
    readonly ephemeralContainerStatuses?: readonly ContainerStatus[]
  }
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: string
    readonly values?: readonly string[]
  }[]
}

export interface Peer {
  readonly podSelector?: LabelSelector
  readonly namespaceSelector?: LabelSelector
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] }
}

export interface PolicyRule {
  readonly from?: readonly Peer[]
  readonly to?: readonly Peer[]
  readonly ports?: readonly unknown[]
}

export interface NetworkPolicy extends KubeObject {
  readonly spec: {
    readonly podSelector?: LabelSelector
    readonly policyTypes?: readonly string[]
    readonly ingress?: readonly PolicyRule[]
    readonly egress?: readonly PolicyRule[]
  }
}

export interface ClusterPeer {
  readonly namespaces?: LabelSelector
  readonly pods?: {
    readonly namespaceSelector?: LabelSelector
    readonly podSelector?: LabelSelector
  }
  readonly networks?: readonly string[]
  readonly domainNames?: readonly string[]
}

export interface ClusterRule {
  readonly name?: string
  readonly action: string
  readonly from?: readonly ClusterPeer[]
  readonly to?: readonly ClusterPeer[]
  readonly ports?: readonly unknown[]
}

/** `networking.k8s.aws/v1alpha1`. */
export interface ClusterNetworkPolicy extends KubeObject {
  readonly spec: {
    readonly tier: string
    readonly priority: number
    readonly subject: {
      readonly namespaces?: LabelSelector
      readonly pods?: {
        readonly namespaceSelector?: LabelSelector
        readonly podSelector?: LabelSelector
      }
    }
    readonly ingress?: readonly ClusterRule[]
    readonly egress?: readonly ClusterRule[]
  }
}

export interface Service extends KubeObject {
  readonly spec: { readonly selector?: Readonly<Record<string, string>> }
}

export interface Budget extends KubeObject {
  readonly spec: { readonly selector?: LabelSelector }
  readonly status?: { readonly disruptionsAllowed?: number }
}

export interface Workload extends KubeObject {
  readonly spec?: {
    readonly replicas?: number
    readonly selector?: unknown
    readonly suspend?: boolean
  }
  readonly status?: { readonly readyReplicas?: number }
}

export interface Node extends KubeObject {
  readonly spec?: { readonly unschedulable?: boolean; readonly providerID?: string }
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly addresses?: readonly { readonly type: string; readonly address: string }[]
  }
}

/** Ports of a pod that its node connects to, to see whether it lives. */
export function probePorts({ spec }: Pod): number[] {
  const ports = new Set<number>()
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  for (const { livenessProbe, readinessProbe, startupProbe, ports: named = [] } of containers) {
    for (const probe of [livenessProbe, readinessProbe, startupProbe]) {
      const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port ?? probe?.grpc?.port
      const number =
        typeof port === 'string' ? named.find(({ name }) => name === port)?.containerPort : port
      if (number !== undefined) ports.add(number)
    }
  }
  return [...ports].sort((a, b) => a - b)
}

export function isReady({ status, metadata }: Pod | Node): boolean {
  if (metadata.deletionTimestamp !== undefined) return false
  return (status?.conditions ?? []).some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  )
}

export function controllerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)
}
