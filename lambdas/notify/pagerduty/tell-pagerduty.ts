import { DeliveryProblem } from '../delivery/problem.ts'
import type { Sender, SenderSetup } from '../delivery/sender.ts'
import { webClientOf } from '../delivery/web-client-of.ts'
import { buildResolve, buildTrigger, type PagerDutyEvent } from './build-event.ts'

const hosts = { us: 'https://events.pagerduty.com', eu: 'https://events.eu.pagerduty.com' } as const

/** One incident of PagerDuty for each of ours: its key makes repeats harmless. */
export function tellPagerDuty(setup: SenderSetup): Sender {
  const { destination, secret } = setup
  const client = webClientOf(setup)
  const key = secret['routing-key']
  if (key === undefined) throw new DeliveryProblem('refused', 'the secret has no "routing-key"')
  const base = destination.urls[0] ?? hosts[destination.settings['region'] === 'eu' ? 'eu' : 'us']
  const send = async (body: PagerDutyEvent) => {
    const answer = await client.send({
      ...{ method: 'POST', url: `${base}/v2/enqueue`, body, also: [400] },
    })
    if (answer.status !== 400) return
    // a key that no service has is told like a mistake in the event
    const isKey = /routing[_ ]key/i.test(answer.text)
    throw new DeliveryProblem(
      isKey ? 'refused' : 'rejected',
      `it answered 400: ${answer.text.slice(0, 300)}`,
    )
  }
  return {
    close: () => client.close(),
    tell: async (notice, before) => {
      if (notice.about === 'response') {
        // the same key as the incident: an open one shows it, one that is over is opened again
        if (notice.state === 'open') await send(buildTrigger(notice, key))
        return { ref: before.ref }
      }
      // what closed before anybody heard of it must be heard of
      if (notice.state === 'open' || before.shown === 'nothing')
        await send(buildTrigger(notice, key))
      if (notice.state === 'closed') await send(buildResolve(notice, key))
      return { ref: null }
    },
  }
}
