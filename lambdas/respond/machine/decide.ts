import { fits } from '#responses'
import { detailTypes } from '../../shared/bus-messages.ts'
import { type BackState, type Change, type ResponseState, wasTouched } from './response-state.ts'

/** What somebody decides about a response: a change, nothing more to do, or why it does not count. */
export type Decision = Change | 'settled' | { readonly problem: string }

/** Why somebody may not decide about responses; `undefined` when they may. */
export function whyNotDecide(approvers: readonly string[], by: string): string | undefined {
  return approvers.length > 0 && fits(approvers, by) ? undefined : `${by} may not decide this`
}

/** Approves the plan of that hash. `now` in seconds. */
export function decideApproval(
  state: ResponseState,
  planHash: string,
  by: string,
  now: number,
): Decision {
  if (state.phase !== 'awaiting') {
    const { approval } = state
    const isMine = approval?.by === by && approval.planHash === planHash
    if (isMine) return 'settled'
    return { problem: `the response does not wait for approval: it is ${state.phase}` }
  }
  if (state.planHash !== planHash) {
    return { problem: 'the plan is not the one that waits: read it again' }
  }
  if (now > (state.approveBy ?? 0)) return { problem: 'the time to approve it is over' }
  return {
    set: { phase: 'approved', approval: { by, at: now, planHash } },
    say: [{ type: detailTypes.approved, text: `approved by ${by}` }],
  }
}

/**
 * Ends a response before its time: what is still ours is undone. Also one that was given up while its
 * changes could not be taken back. `now` in seconds.
 */
export function decideRelease(state: ResponseState, by: string, now: number): Decision {
  const { phase, ending, back, steps } = state
  const isLeft = back.some(({ status, step }) => unfinished.has(status) && wasTouched(steps[step]!))
  const isGivenUp = phase === 'closed' && ending === 'failed' && isLeft
  if (phase !== 'holding' && phase !== 'verifying' && !isGivenUp) {
    return { problem: `there is nothing to undo: it is ${phase}` }
  }
  const again = back.map(
    (each): BackState =>
      unfinished.has(each.status)
        ? { step: each.step, inverse: each.inverse, status: 'open' }
        : each,
  )
  return {
    set: { phase: 'expiring', expiresAt: now, back: again, tries: 0 },
    say: [{ type: detailTypes.expired, text: `let go by ${by}` }],
  }
}

const unfinished: ReadonlySet<BackState['status']> = new Set(['open', 'failed', 'ambiguous'])
