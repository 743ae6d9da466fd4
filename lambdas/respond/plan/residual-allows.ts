import { type Labels, selects } from '../world/labels.ts'
import type {
  ClusterNetworkPolicy,
  ClusterPeer,
  ClusterRule,
  NetworkPolicy,
  Peer,
  PolicyRule,
} from '../world/objects.ts'

/** Traffic that stays allowed, and by what. */
export interface ResidualAllow {
  readonly direction: 'ingress' | 'egress' | 'both'
  /** `NetworkPolicy/NAME`, `ClusterNetworkPolicy/NAME`, `host network`, `default`, or a group of kinds that are not read. */
  readonly by: string
  readonly what: string
}

export interface Reachable {
  readonly namespace: string
  readonly namespaceLabels: Labels
  /** As they are after the change. */
  readonly labels: Labels
  readonly hostNetwork: boolean
}

/** Peers of one direction that a deny has cut off before anything could allow them. */
interface Cover {
  pods: boolean
  v4: boolean
  v6: boolean
}

const directions = ['ingress', 'egress'] as const

/**
 * What may still reach a pod or be reached by it under these policies, as Kubernetes and EKS decide:
 * ClusterNetworkPolicies of the Admin tier by priority, where the first rule counts; then
 * NetworkPolicies, where any allow counts; then the Baseline tier; then all is allowed. Never says less
 * than there is: what cannot be decided here stays listed.
 */
export function residualAllows(
  pod: Reachable,
  policies: readonly NetworkPolicy[],
  clusterPolicies: readonly ClusterNetworkPolicy[] = [],
): ResidualAllow[] {
  if (pod.hostNetwork) {
    return directions.map((direction) => ({
      direction,
      by: 'host network',
      what: 'policies do not hold for pods on the network of their node',
    }))
  }
  return directions.flatMap((direction) => residualOf(direction, pod, policies, clusterPolicies))
}

/** What policies of kinds that are not read may allow, however few there are: never nothing. */
export function unreadAllows(groups: readonly string[]): ResidualAllow[] {
  return groups.map((by) => ({ direction: 'both', by, what: 'its policies are not read' }))
}

type Direction = (typeof directions)[number]

function residualOf(
  direction: Direction,
  pod: Reachable,
  policies: readonly NetworkPolicy[],
  clusterPolicies: readonly ClusterNetworkPolicy[],
): ResidualAllow[] {
  const found: ResidualAllow[] = []
  const cover: Cover = { pods: false, v4: false, v6: false }
  const ours = clusterPolicies.filter(({ spec }) => isSubject(spec.subject, pod))
  walk(direction, tier(ours, 'Admin'), cover, found)
  const selecting = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.namespace &&
      selects(spec.podSelector ?? {}, pod.labels) &&
      typesOf(spec).includes(direction === 'ingress' ? 'Ingress' : 'Egress'),
  )
  if (selecting.length > 0) {
    for (const { metadata, spec } of selecting) {
      for (const rule of spec[direction] ?? []) {
        const what = allowOf(direction, rule, cover)
        if (what !== undefined)
          found.push({ direction, by: `NetworkPolicy/${metadata.name}`, what })
      }
    }
    return found
  }
  walk(direction, tier(ours, 'Baseline'), cover, found)
  if (!isWhole(cover)) {
    found.push({ direction, by: 'default', what: 'no policy for this direction selects the pod' })
  }
  return found
}

/** As the API server fills them in: egress counts when it is listed or has rules. */
function typesOf({ policyTypes, egress }: NetworkPolicy['spec']): readonly string[] {
  if (policyTypes !== undefined && policyTypes.length > 0) return policyTypes
  return (egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress']
}

function isSubject(
  { namespaces, pods }: ClusterNetworkPolicy['spec']['subject'],
  pod: Reachable,
): boolean {
  const labels = {
    'kubernetes.io/metadata.name': pod.namespace,
    ...pod.namespaceLabels,
  }
  if (namespaces !== undefined) return selects(namespaces, labels)
  if (pods === undefined) return false
  return (
    selects(pods.namespaceSelector ?? {}, labels) && selects(pods.podSelector ?? {}, pod.labels)
  )
}

function tier(policies: readonly ClusterNetworkPolicy[], name: string): ClusterNetworkPolicy[] {
  return policies
    .filter(({ spec }) => spec.tier === name)
    .sort((a, b) => a.spec.priority - b.spec.priority || accepts(b) - accepts(a))
}

/** Of policies with one priority any may come first: those that let through are taken first. */
function accepts({ spec }: ClusterNetworkPolicy): number {
  const rules = [...(spec.ingress ?? []), ...(spec.egress ?? [])]
  return rules.some(({ action }) => action !== 'Deny') ? 1 : 0
}

/** Follows rules in order: notes what they accept, and what they deny for all that comes after. */
function walk(
  direction: Direction,
  policies: readonly ClusterNetworkPolicy[],
  cover: Cover,
  found: ResidualAllow[],
): void {
  // what was passed on is out of reach of later denials of this tier
  const passed: Cover = { pods: false, v4: false, v6: false }
  for (const { metadata, spec } of policies) {
    for (const rule of spec[direction] ?? []) {
      const peers = (direction === 'ingress' ? rule.from : rule.to) ?? []
      if (rule.action === 'Deny') deny(direction, peers, rule, cover, passed)
      else if (rule.action === 'Pass') {
        for (const peer of peers) {
          const touched = touchedBy(direction, peer)
          for (const key of ['pods', 'v4', 'v6'] as const) if (touched[key]) passed[key] = true
        }
      } else {
        const open = peers.filter((peer) => !isCovered(touchedBy(direction, peer), cover))
        if (open.length === 0) continue
        const name = rule.name === undefined ? '' : ` (${rule.name})`
        const what = `${word(direction)} ${open.map(clusterPeerText).join(' or ')}${portsText(rule.ports)}${name}`
        found.push({ direction, by: `ClusterNetworkPolicy/${metadata.name}`, what })
      }
    }
  }
}

function deny(
  direction: Direction,
  peers: readonly ClusterPeer[],
  { ports }: ClusterRule,
  cover: Cover,
  passed: Cover,
): void {
  if (ports !== undefined && ports.length > 0) return
  for (const { namespaces, pods, networks } of peers) {
    const isAllPods =
      isEmpty(namespaces) ||
      (pods !== undefined &&
        isEmpty(pods.namespaceSelector ?? {}) &&
        isEmpty(pods.podSelector ?? {}))
    if (isAllPods && !passed.pods) cover.pods = true
    if (networks?.includes('0.0.0.0/0') === true && !passed.v4) cover.v4 = true
    if (networks?.includes('::/0') === true && !passed.v6) cover.v6 = true
  }
  // addresses of pods are addresses, too
  if (direction === 'egress' && cover.v4 && cover.v6 && !passed.pods) cover.pods = true
}

/** Kinds of traffic that a peer may stand for. */
function touchedBy(direction: Direction, { networks, domainNames }: ClusterPeer): Cover {
  if (networks !== undefined) {
    const v4 = networks.some((network) => !network.includes(':'))
    const v6 = networks.some((network) => network.includes(':'))
    return { pods: direction === 'egress' ? false : v4 || v6, v4, v6 }
  }
  if (domainNames !== undefined) return { pods: false, v4: true, v6: true }
  return { pods: true, v4: false, v6: false }
}

function isCovered(touched: Cover, cover: Cover): boolean {
  return (['pods', 'v4', 'v6'] as const).every((key) => !touched[key] || cover[key])
}

function isWhole({ pods, v4, v6 }: Cover): boolean {
  return pods && v4 && v6
}

function isEmpty(selector: object | undefined): boolean {
  return (
    selector !== undefined &&
    Object.values(selector).every((value) => Object.keys(value ?? {}).length === 0)
  )
}

/** What a rule of a NetworkPolicy lets through beside what is denied before; `undefined` for nothing. */
function allowOf(direction: Direction, rule: PolicyRule, cover: Cover): string | undefined {
  const peers = (direction === 'ingress' ? rule.from : rule.to) ?? []
  const ports = portsText(rule.ports)
  if (peers.length === 0) {
    return isWhole(cover) ? undefined : `${word(direction)} anywhere${ports}`
  }
  const open = peers.filter((peer) => !isPeerCovered(peer, cover))
  if (open.length === 0) return undefined
  return `${word(direction)} ${open.map(peerText).join(' or ')}${ports}`
}

function isPeerCovered({ ipBlock }: Peer, cover: Cover): boolean {
  if (ipBlock === undefined) return cover.pods
  if (ipBlock.except?.includes(ipBlock.cidr) === true) return true
  return ipBlock.cidr.includes(':') ? cover.v6 : cover.v4
}

const word = (direction: Direction) => (direction === 'ingress' ? 'from' : 'to')

function peerText({ ipBlock, namespaceSelector, podSelector }: Peer): string {
  if (ipBlock !== undefined) {
    const except = ipBlock.except?.length ? ` except ${ipBlock.except.join(', ')}` : ''
    return `${ipBlock.cidr}${except}`
  }
  const within =
    namespaceSelector === undefined
      ? 'of its namespace'
      : isEmpty(namespaceSelector)
        ? 'of all namespaces'
        : `of namespaces ${JSON.stringify(namespaceSelector)}`
  const which =
    podSelector === undefined || isEmpty(podSelector)
      ? 'pods'
      : `pods ${JSON.stringify(podSelector)}`
  return `${which} ${within}`
}

function clusterPeerText(peer: ClusterPeer): string {
  if (peer.networks !== undefined) return peer.networks.join(', ')
  if (peer.domainNames !== undefined) return peer.domainNames.join(', ')
  return `pods ${JSON.stringify(peer.pods ?? { namespaces: peer.namespaces })}`
}

function portsText(ports: readonly unknown[] | undefined): string {
  return ports === undefined || ports.length === 0 ? '' : ` on ports ${JSON.stringify(ports)}`
}
