import { tellSlack } from '../../../lambdas/notify/slack/tell-slack.ts'
import { FaultServer, type Vendor } from '../fault-server.ts'
import { SlackStandIn } from '../slack.ts'
import { type CaseMaker, destinationOf } from './case.ts'

export const slackBot: CaseMaker = {
  name: 'Slack with a bot',
  start: async (tls) => {
    const slack = new SlackStandIn()
    const server = await FaultServer.start(slack, tls)
    return {
      server,
      destination: destinationOf('slack', server.url, { channel: 'C0123456789' }),
      secret: { token: slack.token },
      make: tellSlack,
      seen: () =>
        slack.living.map(({ body }) => ({
          subject: String((body.metadata?.event_payload as { subject?: string })?.subject),
          state: /, closed/.test(body.text ?? '') ? 'closed' : 'open',
        })),
      lines: () =>
        slack.messages.flatMap(({ body }) => {
          const { response } = (body.metadata?.event_payload ?? {}) as { response?: string }
          return response === undefined ? [] : [response]
        }),
      changeLogin: () => {
        slack.token = 'xoxb-new'
        return { token: slack.token }
      },
      remove: () => slack.channels.clear(),
      markup: () => slack.markup,
      stop: () => server.stop(),
    }
  },
}

export const slackWebhook: CaseMaker = {
  ...{ name: 'Slack with an incoming webhook', repeatsWhatWasLost: true, isLog: true },
  start: async (tls) => {
    const slack = new SlackStandIn()
    let path = slack.webhookPath
    // the URL is the secret: another one is another destination
    const vendor: Vendor = {
      serve: (request) => {
        if (request.path === '/services/T0/B0/new' && path === request.path) {
          return slack.serve({ ...request, path: slack.webhookPath })
        }
        if (request.path !== path) return { status: 403, body: 'invalid_token' }
        return slack.serve(request)
      },
    }
    const server = await FaultServer.start(vendor, tls)
    return {
      server,
      destination: destinationOf('slack', undefined),
      secret: { url: `${server.url}${path}` },
      make: tellSlack,
      seen: () =>
        slack.living.map(({ body }) => ({
          subject: JSON.stringify(body).includes('111111111111 ·') ? '1'.repeat(64) : '',
          state: /, closed/.test(body.text ?? '') ? 'closed' : 'open',
        })),
      changeLogin: () => {
        path = '/services/T0/B0/new'
        return { url: `${server.url}${path}` }
      },
      remove: () => {
        server.fault = () => ({ status: 404, body: 'no_service' })
      },
      markup: () => slack.markup,
      stop: () => server.stop(),
    }
  },
}
