import { quarantineLabel } from '#events'
import { lower, type Mode } from '#responses'
import { detailTypes } from '../../shared/bus-messages.ts'
import { addExpectation, readObservation, trafficEvents } from '../../shared/expectations.ts'
import { shortId } from '../actions/marks.ts'
import { collectEvidence } from '../evidence/collect.ts'
import { readObject } from '../kubernetes/kube.ts'
import { type Plan, planHash } from '../plan/plan.ts'
import type { Pod } from '../world/objects.ts'
import { podPath } from '../world/read-world.ts'
import { actOnce } from './act.ts'
import { isAsWritten, type WrittenObject } from './as-written.ts'
import { killSwitch, passBreaker, takeLimits } from './control.ts'
import { type Kubes, makePlan } from './make-plan.ts'
import { judgeOutcome, settleMs } from './outcome.ts'
import type { Ports } from './ports.ts'
import { type Change, needsEvidence, type ResponseState, stepTexts } from './response-state.ts'
import { takeBackOnce } from './undo.ts'

const mostPlans = 5

/** The next change of a response; `undefined` when it has to wait. */
export async function nextChange(state: ResponseState, ports: Ports): Promise<Change | undefined> {
  const kubes = ports.kubes(state.cluster, `lanner-${shortId(state.id)}`)
  if (kubes === undefined) {
    if (state.phase === 'closed') return undefined
    const reason = `nobody knows the cluster ${state.cluster}`
    // what was done there is not given up because of a mistake in the list of clusters
    if (state.acted !== undefined) throw new Error(reason)
    return refuse(reason)
  }
  switch (state.phase) {
    case 'new':
      return plan(state, ports, kubes)
    case 'awaiting':
      if (ports.now() <= (state.approveBy ?? 0)) return undefined
      return close('lapsed', detailTypes.expired, 'nobody approved it in time')
    case 'approved':
      return prepare(state, ports, kubes)
    case 'acting':
      return actOnce(state, ports, kubes)
    case 'verifying':
      return verify(state, ports, kubes)
    case 'holding':
      return ports.now() < (state.expiresAt ?? 0) ? undefined : { set: { phase: 'expiring' } }
    case 'expiring':
      return takeBackOnce(state, ports, kubes)
    case 'closed':
      return undefined
  }
}

export function close(
  ending: NonNullable<ResponseState['ending']>,
  type: NonNullable<Change['say']>[number]['type'],
  text: string,
): Change {
  return { set: { phase: 'closed', ending }, say: [{ type, text }] }
}

function refuse(reason: string): Change {
  return close('refused', detailTypes.failed, reason)
}

function planningOf(
  { id, incident, cluster, target, rule }: ResponseState,
  protect: Parameters<typeof makePlan>[0]['protect'],
) {
  return { response: id, incident, cluster, target, rule, protect }
}

async function plan(state: ResponseState, ports: Ports, kubes: Kubes): Promise<Change> {
  const { protect, limits } = await ports.policy()
  const made = await makePlan(planningOf(state, protect), kubes)
  if ('gone' in made) return close('gone', detailTypes.failed, made.gone)
  const { plan } = made
  const set = { plan, planHash: planHash(plan), plans: state.plans + 1 }
  let mode: Mode = state.mode
  let lowered = state.lowered
  const reduce = (to: Mode, why: string) => {
    if (lower(mode, to) === mode) return
    mode = to
    lowered ??= why
  }
  // a node may only speak for its own pods
  if (plan.target.node !== state.node) {
    reduce(
      'observe',
      `the pod runs on ${plan.target.node || 'no node'}, not on ${state.node || 'the node'} that told of it`,
    )
  }
  const texts = stepTexts(plan)
  if (mode === 'observe') {
    const why = lowered === undefined ? '' : ` (${lowered})`
    const text = `planned, nothing is changed${why}: ${texts.join(' | ')}`
    return {
      ...close('observed', detailTypes.planned, text),
      set: {
        ...set,
        phase: 'closed',
        ending: 'observed',
        ...(lowered !== undefined && { lowered }),
      },
    }
  }
  if (plan.steps.every(({ calls, wouldFail }) => calls.length === 0 || wouldFail !== undefined)) {
    const text = `nothing of it is done: ${texts.join(' | ')}`
    return { ...refuse(text), set: { ...set, phase: 'closed', ending: 'refused' } }
  }
  if (!(await passBreaker(ports, state.cluster, state.id, limits))) {
    reduce('approve', 'more responses are asked for than usual: people decide')
  }
  const persons = plan.guards.filter(({ level }) => level === 'person')
  if (persons.length > 0) reduce('approve', persons.map(({ reason }) => reason).join('; '))
  if (mode === 'auto') {
    const reached = await takeLimits(ports, state.cluster, asking(state, plan), limits)
    if (reached !== undefined) reduce('approve', `the limit of the ${reached} is reached`)
  }
  const asks = mode === 'approve' ? 'waits for approval' : 'goes on by itself'
  const why = lowered === undefined ? '' : ` (${lowered})`
  const say = [{ type: detailTypes.planned, text: `${asks}${why}: ${texts.join(' | ')}` }]
  if (mode === 'approve') {
    const approveBy = state.approveBy ?? ports.now() + state.rule.approveSeconds
    return {
      set: {
        ...set,
        mode,
        phase: 'awaiting',
        approveBy,
        ...(lowered !== undefined && { lowered }),
      },
      say,
    }
  }
  const approval = { by: 'the policy', at: ports.now(), planHash: set.planHash }
  return { set: { ...set, phase: 'approved', approval }, say }
}

function asking({ id, target }: ResponseState, { target: { owner } }: Plan) {
  const workload = owner === undefined ? target.name : `${owner.kind}/${owner.name}`
  return { id, namespace: target.namespace, workload }
}

/** Looks whether the world is still as it was approved, and puts evidence in safety. */
async function prepare(state: ResponseState, ports: Ports, kubes: Kubes): Promise<Change> {
  const stopped = await killSwitch(ports)
  if (stopped !== undefined) {
    return close(
      'stopped',
      detailTypes.failed,
      `all responses are stopped by ${stopped.by}: ${stopped.reason}`,
    )
  }
  const { protect, limits } = await ports.policy()
  const made = await makePlan(planningOf(state, protect), kubes)
  if ('gone' in made) return close('gone', detailTypes.failed, made.gone)
  if (planHash(made.plan) !== state.approval?.planHash) {
    if (state.plans >= mostPlans)
      return refuse('the world changes faster than it can be planned for')
    // whoever approved in time gets as much time again for the plan that there is now
    const { approval: _, approveBy: __, ...rest } = state
    const again = await plan(rest, ports, kubes)
    const say = [
      { type: detailTypes.planned, text: 'the world is not as it was approved: that plan is void' },
      ...(again.say ?? []),
    ]
    return { set: { approval: undefined as never, ...again.set }, say }
  }
  if (state.approval.by !== 'the policy') {
    // people may go beyond the limits; what they approve counts all the same
    await takeLimits(ports, state.cluster, asking(state, made.plan), limits)
  }
  const now = ports.now()
  const { steps, expiresSeconds } = made.plan
  const set = {
    phase: 'acting' as const,
    acted: now,
    expiresAt: now + expiresSeconds,
    steps: steps.map(() => ({ status: 'open' as const, calls: 0 })),
    back: steps.flatMap(({ inverse }, step) =>
      inverse.map((_, i) => ({ step, inverse: i, status: 'open' as const })),
    ),
  }
  if (!needsEvidence(made.plan)) return { set }
  const logs = steps.flatMap(({ action }) => (action.kind === 'logs' ? [action.tailLines] : []))
  const evidence = await collectEvidence({
    plan: made.plan,
    kube: await kubes('read'),
    store: ports.evidence,
    detections: () => ports.detections(state.incident, now),
    batches: (range) => ports.batches(range),
    made: state.made,
    now: ports.now,
    tailLines: Math.max(1000, ...logs),
  })
  const { manifest, head, missing } = evidence
  const lacks = missing.length === 0 ? '' : `; not to be had: ${missing.join(', ')}`
  const text = `evidence lies in ${manifest}, its last hash is ${head}${lacks}`
  return {
    set: { ...set, evidence: { manifest, head } },
    say: [{ type: detailTypes.approved, text }],
  }
}

/** After the acts: what the node is to be watched for, if the pod was cut off. */
export async function expect(state: ResponseState, ports: Ports): Promise<Partial<ResponseState>> {
  const { plan, steps, id, cluster } = state
  const at = plan!.steps.findIndex(({ action }) => action.kind === 'quarantine')
  if (at < 0 || steps[at]!.status !== 'done' || plan!.steps[at]!.calls.length === 0) {
    return { phase: 'holding' }
  }
  const { uid: podUid, node, containers } = plan!.target
  const from = ports.now() * 1000
  const { windowSeconds, lateSeconds } = ports.proof
  const until = from + windowSeconds * 1000
  const forbidden = trafficEvents
  const expectation = { id, cluster, node, podUid, containers, from, until, forbidden }
  await addExpectation(ports.shared, expectation, ports.now())
  const proofAt = Math.ceil(until / 1000) + lateSeconds
  return { phase: 'verifying', expectation, proofAt }
}

async function verify(
  state: ResponseState,
  ports: Ports,
  kubes: Kubes,
): Promise<Change | undefined> {
  const { expectation, plan, target, id } = state
  const now = ports.now()
  if (now < (state.proofAt ?? now)) return undefined
  const kube = await kubes('read')
  const pod = await readObject<Pod>(kube, podPath(target.namespace, target.name))
  const isSame = pod?.metadata.uid === plan!.target.uid
  const labelled = pod?.metadata.labels?.[quarantineLabel] === shortId(id)
  const at = plan!.steps.findIndex(({ action }) => action.kind === 'quarantine')
  let inPlace = !isSame || labelled
  for (const each of plan!.steps[at]!.inverse) {
    if (!isSame || !inPlace || each.kind !== 'object') continue
    const object = await readObject<WrittenObject>(kube, each.path)
    inPlace = object !== undefined && isAsWritten(object, each)
  }
  const observation = await readObservation(ports.shared, id, now)
  const settled = {
    ...observation,
    traffic: observation.traffic.filter(({ time }) => time >= expectation!.from + settleMs),
    held: observation.held.filter(({ time }) => time >= expectation!.from + settleMs),
  }
  const { outcome, because, next } = judgeOutcome(
    expectation!,
    settled,
    plan!.residualAllows,
    inPlace,
  )
  const proposal = next === undefined ? '' : `; next: ${next}`
  return {
    set: { phase: 'holding', outcome, ...(next !== undefined && { next }) },
    say: [{ type: detailTypes.verified, text: `${outcome}: ${because}${proposal}` }],
  }
}
