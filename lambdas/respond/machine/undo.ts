import { detailTypes } from '../../shared/bus-messages.ts'
import type { Kubes } from './make-plan.ts'
import type { Ports } from './ports.ts'
import { type BackState, type Change, type ResponseState, wasTouched } from './response-state.ts'
import { takeBack } from './take-back.ts'

const mostTries = 12

/** Takes the next change back, as far as it is still ours; what fails is tried again later. */
export async function takeBackOnce(
  state: ResponseState,
  ports: Ports,
  kubes: Kubes,
): Promise<Change | undefined> {
  const at = state.back.findIndex(
    ({ status, step }) => status === 'open' && wasTouched(state.steps[step]!),
  )
  if (at < 0) return finish(state)
  const { step, inverse } = state.back[at]!
  const planned = state.plan!.steps[step]!
  const change = planned.inverse[inverse]!
  const made = state.steps[step]!.made?.[change.path]
  const kube = await kubes(planned.risk)
  const result = await takeBack(kube, change, state.id, ports.sleep, made)
  const reason = 'reason' in result ? { reason: result.reason } : {}
  const back: BackState = { step, inverse, status: result.status, ...reason }
  return { set: { back: state.back.with(at, back) } }
}

function finish(state: ResponseState): Change {
  const bad = state.back.filter(({ status }) => status === 'failed' || status === 'ambiguous')
  if (bad.length > 0 && state.tries < mostTries) {
    const back = state.back.map((each) =>
      bad.includes(each)
        ? { step: each.step, inverse: each.inverse, status: 'open' as const }
        : each,
    )
    const reasons = bad.map(({ reason }) => reason).join('; ')
    const text = `not undone yet, tried again later: ${reasons}`
    const say = state.tries === 0 ? [{ type: detailTypes.failed, text }] : []
    return { set: { back, tries: state.tries + 1 }, say }
  }
  const stays = state.back.filter(
    ({ status }) => status === 'changed' || status === 'failed' || status === 'ambiguous',
  )
  const text =
    stays.length === 0
      ? 'its time is over: everything is undone'
      : `its time is over; what is not ours any more stays: ${stays.map(({ reason }) => reason).join('; ')}`
  return {
    set: { phase: 'closed', ending: bad.length > 0 ? 'failed' : 'expired' },
    say: [{ type: bad.length > 0 ? detailTypes.failed : detailTypes.expired, text }],
  }
}
