import { DeliveryProblem } from '../delivery/problem.ts'
import type { Sender, SenderSetup } from '../delivery/sender.ts'
import { authorizationOf, webClientOf } from '../delivery/web-client-of.ts'
import { signEvent } from './build-event.ts'

/** Signed events to one URL; the receiver knows a repeat by its key. */
export function tellWebhook(setup: SenderSetup): Sender {
  const { destination, secret, now } = setup
  const client = webClientOf(setup)
  const { key } = secret
  if (key === undefined)
    throw new DeliveryProblem('refused', 'the secret has no "key" to sign with')
  const [url = ''] = destination.urls
  return {
    close: () => client.close(),
    tell: async (notice) => {
      const { headers, body } = signEvent(notice, key, now())
      const all = { ...headers, ...authorizationOf(secret) }
      await client.send({ method: 'POST', url, headers: all, body })
      return { ref: null }
    },
  }
}
