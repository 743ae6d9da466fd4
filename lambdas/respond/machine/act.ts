import { detailTypes } from '../../shared/bus-messages.ts'
import type { Call } from '../plan/plan.ts'
import type { CallResult } from './attempt.ts'
import { killSwitch } from './control.ts'
import type { Kubes } from './make-plan.ts'
import { expect } from './phases.ts'
import type { Ports } from './ports.ts'
import type { Change, ResponseState, StepState } from './response-state.ts'
import { runKubeCall } from './run-call.ts'

/** Makes the next call of a plan, and nothing more: what is done is written down after each. */
export async function actOnce(state: ResponseState, ports: Ports, kubes: Kubes): Promise<Change> {
  const at = state.steps.findIndex(({ status }) => status === 'open')
  if (at < 0) return finish(state, ports)
  if (ports.now() >= state.expiresAt!) {
    const text = 'its time was over while it was acted on: what was done is undone'
    return {
      set: { phase: 'expiring', steps: skipRest(state.steps, text) },
      say: [{ type: detailTypes.failed, text }],
    }
  }
  const stopped = await killSwitch(ports)
  if (stopped !== undefined) {
    const text = `all responses are stopped by ${stopped.by}: ${stopped.reason}`
    return {
      set: { steps: skipRest(state.steps, text) },
      say: [{ type: detailTypes.failed, text }],
    }
  }
  const planned = state.plan!.steps[at]!
  const step = state.steps[at]!
  const { refused, wouldFail, calls } = planned
  const against = refused ?? wouldFail
  if (against !== undefined)
    return record(state, at, { ...step, status: 'refused', reason: against })
  const call = calls[step.calls]
  if (call === undefined) return record(state, at, { ...step, status: 'done' })
  const isOutside = call.via === 'lambda' || call.via === 'webhook'
  if (isOutside && step.begun !== true) return setStep(state, at, { ...step, begun: true })
  if (isOutside && step.begun === true && !begunHere.has(`${state.id} ${at} ${step.calls}`)) {
    const reason = 'it was begun, and nobody knows whether it was done: it is not done twice'
    return record(state, at, { ...step, status: 'ambiguous', reason })
  }
  const result = await make(call, state, at, ports, kubes)
  switch (result.status) {
    case 'done': {
      const { begun: _, ...rest } = step
      const next: StepState = { ...rest, calls: step.calls + 1 }
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

/** Calls begun by this very run, which may therefore be made now. */
export const begunHere = new Set<string>()

async function make(
  call: Call,
  state: ResponseState,
  at: number,
  ports: Ports,
  kubes: Kubes,
): Promise<CallResult> {
  if (call.via === 'collect') return { status: 'done' } // it lies with the evidence
  const planned = state.plan!.steps[at]!
  if (call.via === 'kubernetes') {
    return runKubeCall(await kubes(planned.risk), call, state.id, ports.sleep)
  }
  begunHere.delete(`${state.id} ${at} ${state.steps[at]!.calls}`)
  const { incident, cluster, rule, plan } = state
  const id = `${state.id}-${at}`
  const message = {
    id,
    response: state.id,
    incident,
    cluster,
    rule: rule.name,
    target: plan!.target,
  }
  return ports.invoke({ ...call }, message)
}

function setStep(state: ResponseState, at: number, step: StepState): Change {
  if (step.begun === true) begunHere.add(`${state.id} ${at} ${step.calls}`)
  return { set: { steps: state.steps.with(at, step) } }
}

/** Writes down how a step ended; after a failure the rest is left, unless errors do not count. */
function record(state: ResponseState, at: number, step: StepState): Change {
  const { name, ignoreErrors, continue: goesOn } = state.plan!.steps[at]!
  const isBad = step.status !== 'done' && step.status !== 'gone'
  const because = step.reason === undefined ? '' : `: ${step.reason}`
  const text = `${name}: ${words[step.status]}${because}`
  let steps = state.steps.with(at, step)
  if (isBad && !ignoreErrors) steps = skipRest(steps, `"${name}" is not done`)
  else if (!goesOn) steps = skipRest(steps, `the rule ends after "${name}"`)
  return { set: { steps }, say: [{ type: isBad ? detailTypes.failed : detailTypes.done, text }] }
}

const words: Readonly<Record<StepState['status'], string>> = {
  ...{ open: 'not yet', done: 'done', gone: 'nothing left to do', refused: 'not done' },
  ...{ failed: 'failed', ambiguous: 'nobody knows whether it is done', skipped: 'left' },
}

function skipRest(steps: readonly StepState[], reason: string): StepState[] {
  return steps.map((step) =>
    step.status === 'open' ? { ...step, status: 'skipped', reason } : step,
  )
}

async function finish(state: ResponseState, ports: Ports): Promise<Change> {
  const statuses = new Set(state.steps.map(({ status }) => status))
  const ending = statuses.has('ambiguous')
    ? 'ambiguous'
    : statuses.has('failed')
      ? 'failed'
      : statuses.has('done') || statuses.has('gone')
        ? 'done'
        : 'refused'
  const next = await expect(state, ports)
  const hasBack = state.back.some(({ step }) => wasTouched(state.steps[step]!))
  if (next.phase === 'holding' && !hasBack) return { set: { phase: 'closed', ending } }
  return { set: { ...next, ending } }
}

/** Whether a step may have changed something. */
export function wasTouched({ status, calls }: StepState): boolean {
  return calls > 0 || status === 'ambiguous' || status === 'failed'
}
