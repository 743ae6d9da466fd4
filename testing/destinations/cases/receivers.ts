import { tellFalcosidekick } from '../../../lambdas/notify/falcosidekick/tell-falcosidekick.ts'
import { tellWebhook } from '../../../lambdas/notify/webhook/tell-webhook.ts'
import { FaultServer } from '../fault-server.ts'
import { FalcosidekickStandIn, WebhookStandIn } from '../receivers.ts'
import { type CaseMaker, destinationOf } from './case.ts'

export const webhook: CaseMaker = {
  ...{ name: 'Webhook', isLog: true },
  start: async (tls, now = Date.now) => {
    const vendor = new WebhookStandIn()
    vendor.now = now
    const server = await FaultServer.start(vendor, tls)
    return {
      server,
      destination: destinationOf('webhook', `${server.url}/hook`),
      secret: { key: vendor.key },
      make: tellWebhook,
      seen: () =>
        [...vendor.events.values()].map((event) => ({
          subject: String(event['subject']),
          state: (event['data'] as { state: 'open' }).state,
        })),
      lines: () =>
        [...vendor.events].flatMap(([id, event]) =>
          String(event['type']).startsWith('lanner.response.') ? [id] : [],
        ),
      changeLogin: () => {
        vendor.key = 'another key'
        return { key: vendor.key }
      },
      remove: () => {
        vendor.isThere = false
      },
      stop: () => server.stop(),
    }
  },
}

export const falcosidekick: CaseMaker = {
  ...{ name: 'Falcosidekick', isLog: true, repeatsWhatWasLost: true },
  start: async (tls) => {
    const vendor = new FalcosidekickStandIn()
    vendor.authorization = 'Bearer good'
    const server = await FaultServer.start(vendor, tls)
    return {
      server,
      destination: destinationOf('falcosidekick', server.url),
      secret: { token: 'good' },
      make: tellFalcosidekick,
      seen: () =>
        vendor.alerts.map((alert) => ({
          subject: String((alert['output_fields'] as Record<string, unknown>)['lanner.incident']),
          state: 'open',
        })),
      changeLogin: () => {
        vendor.authorization = 'Bearer new'
        return { token: 'new' }
      },
      remove: () => {
        vendor.isThere = false
      },
      stop: () => server.stop(),
    }
  },
}
