import { detailTypes } from '../../shared/bus-messages.ts'
import type { Change, ResponseState } from './response-state.ts'

/** The end of a response, and what is said about it. */
export function close(
  ending: NonNullable<ResponseState['ending']>,
  type: NonNullable<Change['say']>[number]['type'],
  text: string,
): Change {
  return { set: { phase: 'closed', ending }, say: [{ type, text }] }
}

/** The end of a response of which nothing is done. */
export function refuse(reason: string): Change {
  return close('refused', detailTypes.failed, reason)
}
