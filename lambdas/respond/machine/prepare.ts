import { detailTypes } from '../../shared/bus-messages.ts'
import { collectEvidence } from '../evidence/collect.ts'
import { isStillApproved, planHash } from '../plan/plan.ts'
import { close, refuse } from './close.ts'
import { killSwitch, takeLimits } from './control.ts'
import { type Kubes, makePlan } from './make-plan.ts'
import type { Ports } from './ports.ts'
import { asking, mayLeave, plan, planningOf } from './propose.ts'
import { type Change, needsEvidence, type ResponseState } from './response-state.ts'
import { leaseSeconds } from './response-table.ts'

const mostPlans = 5

/** Looks whether the world is still as it was approved, and puts evidence in safety. */
export async function prepare(state: ResponseState, ports: Ports, kubes: Kubes): Promise<Change> {
  const stopped = await killSwitch(ports)
  if (stopped !== undefined) {
    return close(
      'stopped',
      detailTypes.failed,
      `all responses are stopped by ${stopped.by}: ${stopped.reason}`,
    )
  }
  const { rule, approval, errors, problem } = state
  // whoever takes over from a process that died has to come in time, too
  const inTime = Math.max(rule.approveSeconds, 2 * leaseSeconds)
  if (approval !== undefined && ports.now() > approval.at + inTime) {
    const because = errors > 0 ? ` (${problem})` : ''
    const text = `it could not be acted on in time${because}: its approval does not count any more`
    return close('lapsed', detailTypes.expired, text)
  }
  const { protect, limits } = await ports.policy()
  const made = await makePlan(planningOf(state, protect), kubes)
  if ('gone' in made) return close('gone', detailTypes.failed, made.gone)
  const isByPolicy = approval?.by === 'the policy'
  const approved = state.plan!
  const isSame = approval?.planHash === planHash(approved) && isStillApproved(approved, made.plan)
  const isFree = isSame && (await mayLeave(state, made.plan, ports))
  if (!isSame || (isByPolicy && !isFree)) {
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
  if (!isByPolicy) {
    // people may go beyond the limits; what they approve counts all the same
    await takeLimits(ports, state.cluster, asking(state, made.plan), limits)
  }
  const now = ports.now()
  // the plan that was approved, with the containers and the replicas that there are now
  const current = { ...made.plan, guards: approved.guards }
  const { steps, expiresSeconds } = current
  const set = {
    phase: 'acting' as const,
    plan: current,
    acted: now,
    expiresAt: now + expiresSeconds,
    steps: steps.map(() => ({ status: 'open' as const, calls: 0 })),
    back: steps.flatMap(({ inverse }, step) =>
      inverse.map((_, i) => ({ step, inverse: i, status: 'open' as const })),
    ),
  }
  if (!needsEvidence(current)) {
    const text = 'it is acted on; no evidence is kept for it'
    return { set, say: [{ type: detailTypes.approved, text }] }
  }
  const logs = steps.flatMap(({ action }) => (action.kind === 'logs' ? [action.tailLines] : []))
  const evidence = await collectEvidence({
    plan: current,
    kube: await kubes('read'),
    store: ports.evidence,
    detections: () => ports.detections(state.incident, now),
    batches: (range) => ports.batches(range),
    made: state.made,
    now: ports.now,
    tailLines: Math.max(1000, ...logs),
    withinMs: ports.evidenceMs,
  })
  const { manifest, head, missing } = evidence
  const lacks = missing.length === 0 ? '' : `; not to be had: ${missing.join(', ')}`
  const text = `evidence lies in ${manifest}, its last hash is ${head}${lacks}`
  return {
    set: { ...set, evidence: { manifest, head } },
    say: [{ type: detailTypes.approved, text }],
  }
}
