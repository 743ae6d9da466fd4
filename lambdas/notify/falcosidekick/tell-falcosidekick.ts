import { alertJson } from '#engine'
import type { Sender, SenderSetup } from '../delivery/sender.ts'
import { authorizationOf, webClientOf } from '../delivery/web-client-of.ts'
import { buildAlert } from './build-alert.ts'

/** What speaks Falco's `http_output`: Falcosidekick, and so all of its outputs. */
export function tellFalcosidekick(setup: SenderSetup): Sender {
  const { destination, secret } = setup
  const client = webClientOf(setup)
  const [url = ''] = destination.urls
  return {
    close: () => client.close(),
    tell: async (notice) => {
      const alert = buildAlert(notice)
      if (alert === undefined) return { ref: null }
      const headers = { 'content-type': 'application/json', ...authorizationOf(secret) }
      await client.send({ method: 'POST', url: `${url}/`, headers, body: alertJson(alert) })
      return { ref: null }
    },
  }
}
