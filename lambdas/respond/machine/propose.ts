import { lower, type Mode } from '#responses'
import { type DetailType, detailTypes } from '../../shared/bus-messages.ts'
import { ownLabel } from '../plan/guards.ts'
import { type Plan, planHash } from '../plan/plan.ts'
import { close, refuse } from './close.ts'
import { beginLeaving, passBreaker, takeLimits } from './control.ts'
import { type Kubes, makePlan } from './make-plan.ts'
import type { Ports } from './ports.ts'
import { type Change, type ResponseState, stepTexts, takesReplica } from './response-state.ts'

export function planningOf(
  { id, incident, cluster, target, rule }: ResponseState,
  protect: Parameters<typeof makePlan>[0]['protect'],
) {
  return { response: id, incident, cluster, target, rule, protect }
}

/** Plans, and decides whether it goes on by itself, waits for people, or was only to be seen. */
export async function plan(state: ResponseState, ports: Ports, kubes: Kubes): Promise<Change> {
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
  const texts = [...sparedTexts(plan), ...stepTexts(plan)]
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
  if (mode === 'auto' && !(await mayLeave(state, plan, ports))) {
    reduce('approve', 'another response is about to take another replica away')
  }
  const asks = mode === 'approve' ? 'waits for approval' : 'goes on by itself'
  const why = lowered === undefined ? '' : ` (${lowered})`
  const text = `${asks}${why}: ${texts.join(' | ')}`
  const say: { type: DetailType; text: string }[] = [{ type: detailTypes.planned, text }]
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
  say.push({ type: detailTypes.approved, text: `approved by ${approval.by}` })
  return { set: { ...set, phase: 'approved', approval }, say }
}

/** Said first and loud: only people can tell a wish of the operator from a label that an attacker wrote. */
function sparedTexts({ guards }: Plan): string[] {
  const own = guards.filter(({ guard }) => guard === ownLabel)
  if (own.length === 0) return []
  const reasons = own.map(({ reason }) => reason).join('; ')
  return [`SPARED BY ITS OWN LABEL: ${reasons}; take the label away to respond to the pod`]
}

/** Whether no other response is about to take another replica of the same owner away. */
export async function mayLeave(state: ResponseState, plan: Plan, ports: Ports): Promise<boolean> {
  if (!takesReplica(plan)) return true
  return beginLeaving(ports, state.cluster, { ...asking(state, plan), pod: state.target.uid })
}

/** What the limits are counted by. */
export function asking({ id, target }: ResponseState, { target: { owner } }: Plan) {
  const workload = owner === undefined ? target.name : `${owner.kind}/${owner.name}`
  return { id, namespace: target.namespace, workload }
}
