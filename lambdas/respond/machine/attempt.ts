import { Unanswered, waitOf } from '../kubernetes/kube.ts'

/** How a call ended. `gone`: there is nothing left that it could change. */
export type CallResult =
  /** `uid`: of the object that a call made or changed. */
  | { readonly status: 'done' | 'gone'; readonly uid?: string | undefined }
  | { readonly status: 'failed'; readonly reason: string }
  /** Nobody knows whether it was made. */
  | { readonly status: 'ambiguous'; readonly reason: string }

export type Sleep = (ms: number) => Promise<void>

export interface Again {
  readonly again: string
  /** Whether it may have been done all the same. */
  readonly isDone: boolean
  readonly retryAfter: number | undefined
}

const attempts = 4

/** Tries until there is a result or no attempt left. */
export async function attempt<T>(
  once: () => Promise<{ readonly result: T } | Again>,
  sleep: Sleep,
): Promise<T | Extract<CallResult, { readonly reason: string }>> {
  let mayBeDone = false
  for (let tries = 1; ; tries++) {
    let outcome: { readonly result: T } | Again
    try {
      outcome = await once()
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error
      outcome = { again: error.message, isDone: true, retryAfter: undefined }
    }
    if ('result' in outcome) return outcome.result
    mayBeDone ||= outcome.isDone
    if (tries >= attempts) {
      return { status: mayBeDone ? 'ambiguous' : 'failed', reason: outcome.again }
    }
    await sleep(waitOf(outcome.retryAfter, tries))
  }
}
