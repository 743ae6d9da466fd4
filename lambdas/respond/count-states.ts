import type { BusMessage } from '../shared/bus.ts'
import { detailTypes, type ResponseMessage } from '../shared/bus-messages.ts'
import type { ResponseStateName } from '../shared/metric-dimensions.ts'

/** What responses are said to have come to, for metrics: how many messages of each state there are. */
export function countStates(
  messages: readonly BusMessage[],
): Readonly<Partial<Record<ResponseStateName, number>>> {
  const counts: Partial<Record<ResponseStateName, number>> = {}
  for (const message of messages) {
    const state = stateOf(message)
    if (state !== undefined) counts[state] = (counts[state] ?? 0) + 1
  }
  return counts
}

function stateOf({ type, detail }: BusMessage): ResponseStateName | undefined {
  const { phase, outcome } = detail as ResponseMessage
  switch (type) {
    case detailTypes.planned:
      if (phase === 'closed') return 'observed'
      return phase === 'awaiting' ? 'awaiting' : 'planned'
    case detailTypes.approved:
      return phase === 'acting' ? 'acting' : 'approved'
    case detailTypes.done:
      // one for each step: that all are through says nothing new
      return phase === 'acting' ? 'acted' : undefined
    case detailTypes.failed:
      return 'failed'
    case detailTypes.verified:
      return outcome ?? 'unverified'
    case detailTypes.expired:
      // what is taken back is counted when it is
      return phase === 'expiring' ? undefined : 'expired'
    default:
      return undefined
  }
}
