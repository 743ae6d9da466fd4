import { detailTypes } from '../../shared/bus-messages.ts'
import { shortId } from '../actions/marks.ts'
import { actOnce } from './act.ts'
import { close, refuse } from './close.ts'
import type { Ports } from './ports.ts'
import { prepare } from './prepare.ts'
import { plan } from './propose.ts'
import type { Change, ResponseState } from './response-state.ts'
import { takeBackOnce } from './undo.ts'
import { verify } from './verify.ts'

/**
 * The next change of a response; `undefined` when it has to wait. Rejects when something around it is
 * not as it should be: then it is to be tried again.
 */
export async function nextChange(state: ResponseState, ports: Ports): Promise<Change | undefined> {
  switch (state.phase) {
    case 'awaiting':
      if (ports.now() <= (state.approveBy ?? 0)) return undefined
      return close('lapsed', detailTypes.expired, 'nobody approved it in time')
    case 'holding':
      if (ports.now() < (state.expiresAt ?? 0)) return undefined
      return {
        set: { phase: 'expiring' },
        say: [{ type: detailTypes.expired, text: 'its time is over: what is ours is taken back' }],
      }
    case 'closed':
      return undefined
  }
  const kubes = ports.kubes(state.cluster, `lanner-${shortId(state.id)}`)
  if (kubes === undefined) {
    const reason = `nobody knows the cluster ${state.cluster}`
    if (state.phase === 'new') return refuse(reason)
    // it was known before: what was begun there is not given up because of a mistake in a list
    throw new Error(reason)
  }
  switch (state.phase) {
    case 'new':
      return plan(state, ports, kubes)
    case 'approved':
      return prepare(state, ports, kubes)
    case 'acting':
      return actOnce(state, ports, kubes)
    case 'verifying':
      return verify(state, ports, kubes)
    case 'expiring':
      return takeBackOnce(state, ports, kubes)
  }
}
