import { detailTypes } from '../../shared/bus-messages.ts'
import type { Call, KubeCall } from '../plan/plan.ts'
import type { CallResult } from './attempt.ts'
import { endLeaving, killSwitch } from './control.ts'
import type { Kubes } from './make-plan.ts'
import type { Ports } from './ports.ts'
import {
  type Change,
  type ResponseState,
  type StepState,
  takesReplica,
  wasTouched,
} from './response-state.ts'
import { runKubeCall } from './run-call.ts'
import { expect } from './verify.ts'

/** Makes the next call of a plan, and nothing more: what is done is written down after each. */
export async function actOnce(state: ResponseState, ports: Ports, kubes: Kubes): Promise<Change> {
  const at = state.steps.findIndex(({ status }) => status === 'open')
  if (at < 0) return finish(state, ports, kubes)
  if (ports.now() >= state.expiresAt!) {
    const text = 'its time was over while it was acted on: what was done is undone'
    return {
      set: { phase: 'expiring', steps: skipRest(state, text) },
      say: [{ type: detailTypes.failed, text }],
    }
  }
  const stopped = await killSwitch(ports)
  if (stopped !== undefined) {
    const text = `all responses are stopped by ${stopped.by}: ${stopped.reason}`
    return {
      set: { steps: skipRest(state, text) },
      say: [{ type: detailTypes.failed, text }],
    }
  }
  const step = state.steps[at]!
  const { refused, wouldFail, elsewhere, calls } = state.plan!.steps[at]!
  const against = refused ?? wouldFail
  if (against !== undefined)
    return record(state, at, { ...step, status: 'refused', reason: against })
  const call = calls[step.calls]
  if (call === undefined) {
    if (elsewhere === undefined) return record(state, at, { ...step, status: 'done' })
    return record(state, at, { ...step, status: 'elsewhere', reason: elsewhere })
  }
  const holder = state.lease!.holder
  // before the first call: whoever comes after a crash has to know that it may have been made
  if (step.begun === undefined) return setStep(state, at, { ...step, begun: holder })
  if (isOutside(call) && step.begun !== holder) {
    return record(state, at, { ...step, status: 'ambiguous', reason: notTwice })
  }
  const result = await make(call, state, at, ports, kubes)
  switch (result.status) {
    case 'done': {
      const { uid } = result
      const made = isOwned(call) && uid !== undefined && { ...step.made, [call.path]: uid }
      const next: StepState = { ...step, calls: step.calls + 1, ...(made && { made }) }
      return next.calls < calls.length
        ? setStep(state, at, next)
        : record(state, at, { ...next, status: 'done' })
    }
    case 'gone':
      return record(state, at, {
        ...step,
        calls: step.calls + 1,
        status: 'gone',
        reason: 'the pod is gone',
      })
    default:
      return record(state, at, { ...step, status: result.status, reason: result.reason })
  }
}

const notTwice = 'it was begun, and nobody knows whether it was done: it is not done twice'

function isOutside(call: Call | undefined): boolean {
  return call?.via === 'lambda' || call?.via === 'webhook'
}

function isOwned(call: Call): call is KubeCall {
  return call.via === 'kubernetes' && call.owned === true
}

async function make(
  call: Call,
  state: ResponseState,
  at: number,
  ports: Ports,
  kubes: Kubes,
): Promise<CallResult> {
  if (call.via === 'collect') return { status: 'done' } // it lies with the evidence
  if (call.via === 'kubernetes') {
    const { risk } = state.plan!.steps[at]!
    return runKubeCall(await kubes(risk), call, state.id, ports.sleep)
  }
  const { id: response, incident, cluster, rule, plan } = state
  const { target } = plan!
  const message = {
    ...{ id: `${response}-${at}`, response, incident, cluster, rule: rule.name, target },
  }
  return ports.invoke({ ...call }, message)
}

function setStep(state: ResponseState, at: number, step: StepState): Change {
  return { set: { steps: state.steps.with(at, step) } }
}

/** Writes down how a step ended; after a failure the rest is left, unless errors do not count. */
function record(state: ResponseState, at: number, step: StepState): Change {
  const { name, ignoreErrors, continue: goesOn } = state.plan!.steps[at]!
  const isBad = !good.has(step.status)
  const because = step.reason === undefined ? '' : `: ${step.reason}`
  const text = `${name}: ${words[step.status]}${because}`
  const after = { ...state, steps: state.steps.with(at, step) }
  let { steps } = after
  if (isBad && !ignoreErrors) steps = skipRest(after, `"${name}" is not done`)
  else if (!goesOn) steps = skipRest(after, `the rule ends after "${name}"`)
  return { set: { steps }, say: [{ type: isBad ? detailTypes.failed : detailTypes.done, text }] }
}

const good: ReadonlySet<StepState['status']> = new Set(['done', 'gone', 'elsewhere'])

const words: Readonly<Record<StepState['status'], string>> = {
  ...{ open: 'not yet', done: 'done', gone: 'nothing left to do', refused: 'not done' },
  elsewhere: 'not done here',
  ...{ failed: 'failed', ambiguous: 'nobody knows whether it is done', skipped: 'left' },
}

/** Leaves what is open. Of a call that must not be made twice, and was begun, nobody knows. */
function skipRest({ steps, plan }: ResponseState, reason: string): StepState[] {
  return steps.map((step, i) => {
    if (step.status !== 'open') return step
    const isUnknown = step.begun !== undefined && isOutside(plan!.steps[i]!.calls[step.calls])
    return isUnknown
      ? { ...step, status: 'ambiguous', reason: notTwice }
      : { ...step, status: 'skipped', reason }
  })
}

const endings = {
  ...{ done: 'all is done', refused: 'nothing was done', failed: 'not all is done' },
  ambiguous: 'nobody knows whether all is done',
}

async function finish(state: ResponseState, ports: Ports, kubes: Kubes): Promise<Change> {
  if (takesReplica(state.plan!)) await endLeaving(ports, state.cluster, state.id)
  const statuses = new Set(state.steps.map(({ status }) => status))
  const ending = statuses.has('ambiguous')
    ? 'ambiguous'
    : statuses.has('failed')
      ? 'failed'
      : statuses.has('done') || statuses.has('gone')
        ? 'done'
        : 'refused'
  const next = await expect(state, ports, kubes)
  const hasBack = state.back.some(({ step }) => wasTouched(state.steps[step]!))
  const say = (text: string) => [{ type: detailTypes.done, text: `${endings[ending]}: ${text}` }]
  if (next.phase === 'holding' && !hasBack) {
    return { set: { phase: 'closed', ending }, say: say('there is nothing to take back') }
  }
  const { windowSeconds } = ports.proof
  const then =
    next.phase === 'verifying'
      ? `for ${windowSeconds} s it is watched what the pod still does`
      : 'it holds until its time is over'
  return { set: { ...next, ending }, say: say(then) }
}
