import { quarantineLabel } from '#events'
import { detailTypes } from '../../shared/bus-messages.ts'
import {
  addExpectation,
  type Probes,
  readObservation,
  type Seen,
  trafficEvents,
} from '../../shared/expectations.ts'
import { shortId } from '../actions/marks.ts'
import { stillAllowed } from '../actions/quarantine.ts'
import { type Kube, readObject } from '../kubernetes/kube.ts'
import { type Node, type Pod, probePorts } from '../world/objects.ts'
import { nodePath, podPath, readWorld } from '../world/read-world.ts'
import { isAsWritten, type WrittenObject } from './as-written.ts'
import type { Kubes } from './make-plan.ts'
import { judgeOutcome, settleMs } from './outcome.ts'
import type { Ports } from './ports.ts'
import type { Change, ResponseState } from './response-state.ts'

/** After the acts: what the node is to be watched for, if the pod was cut off. */
export async function expect(
  state: ResponseState,
  ports: Ports,
  kubes: Kubes,
): Promise<Partial<ResponseState>> {
  const { plan, steps, id, cluster } = state
  const at = plan!.steps.findIndex(({ action }) => action.kind === 'quarantine')
  if (at < 0 || steps[at]!.status !== 'done' || plan!.steps[at]!.calls.length === 0) {
    return { phase: 'holding' }
  }
  const { uid: podUid, node, containers } = plan!.target
  const probes = await probesOf(state, await kubes('read'))
  const from = ports.now() * 1000
  const { windowSeconds, lateSeconds } = ports.proof
  const until = from + windowSeconds * 1000
  const forbidden = trafficEvents
  const about = { id, cluster, node, podUid, containers, probes }
  const expectation = { ...about, from, until, forbidden }
  await addExpectation(ports.shared, expectation, ports.now())
  const proofAt = Math.ceil(until / 1000) + lateSeconds
  return { phase: 'verifying', expectation, proofAt }
}

/** By what its node may look whether the pod lives; no policy keeps it from that. */
async function probesOf({ plan, target }: ResponseState, kube: Kube): Promise<Probes> {
  const { node, uid } = plan!.target
  const pod = await readObject<Pod>(kube, podPath(target.namespace, target.name))
  const ports = pod?.metadata.uid === uid ? probePorts(pod) : []
  if (ports.length === 0) return { addresses: [], ports }
  const { status } = (await readObject<Node>(kube, nodePath(node))) ?? {}
  const addresses = (status?.addresses ?? []).flatMap(({ type, address }) =>
    type.endsWith('IP') ? [address] : [],
  )
  return { addresses, ports }
}

/** What the node told of the pod, held against what must not happen; waits until it had the time. */
export async function verify(
  state: ResponseState,
  ports: Ports,
  kubes: Kubes,
): Promise<Change | undefined> {
  const { expectation, plan, target, id } = state
  const now = ports.now()
  if (now < (state.proofAt ?? now)) return undefined
  const kube = await kubes('read')
  const { uid } = plan!.target
  const read = await readWorld(kube, { ...target, uid })
  const world = 'world' in read ? read.world : undefined
  const isSame = world !== undefined
  const labelled = world?.pod.metadata.labels?.[quarantineLabel] === shortId(id)
  const at = plan!.steps.findIndex(({ action }) => action.kind === 'quarantine')
  const { made = {} } = state.steps[at]!
  let inPlace = !isSame || labelled
  for (const each of plan!.steps[at]!.inverse) {
    if (!isSame || !inPlace || each.kind !== 'object') continue
    const object = await readObject<WrittenObject>(kube, each.path)
    inPlace = object !== undefined && isAsWritten(object, each, made[each.path])
  }
  const observation = await readObservation(ports.shared, id, now)
  const isSettled = ({ time }: Seen) => time >= expectation!.from + settleMs
  const settled = {
    ...observation,
    traffic: observation.traffic.filter(isSettled),
    held: observation.held.filter(isSettled),
  }
  const { outcome, because, next } = judgeOutcome(
    expectation!,
    settled,
    world === undefined ? plan!.residualAllows : stillAllowed(world),
    inPlace,
  )
  const proposal = next === undefined ? '' : `; next: ${next}`
  return {
    set: { phase: 'holding', outcome, ...(next !== undefined && { next }) },
    say: [{ type: detailTypes.verified, text: `${outcome}: ${because}${proposal}` }],
  }
}
