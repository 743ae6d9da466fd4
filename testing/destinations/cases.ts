import { SecurityHubClient } from '@aws-sdk/client-securityhub'
import {
  CreateTopicCommand,
  DeleteTopicCommand,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns'
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { startFauxqs } from 'fauxqs'
import { type Destination, type DestinationKind, kindSettings } from '#routes'
import { tellAlertmanager } from '../../lambdas/notify/alertmanager/tell-alertmanager.ts'
import type { MakeSender } from '../../lambdas/notify/delivery/sender.ts'
import { tellFalcosidekick } from '../../lambdas/notify/falcosidekick/tell-falcosidekick.ts'
import { tellGithub } from '../../lambdas/notify/github/tell-github.ts'
import { tellJira } from '../../lambdas/notify/jira/tell-jira.ts'
import { tellPagerDuty } from '../../lambdas/notify/pagerduty/tell-pagerduty.ts'
import { tellSecurityHub } from '../../lambdas/notify/security-hub/tell-security-hub.ts'
import { tellSlack } from '../../lambdas/notify/slack/tell-slack.ts'
import { tellSns } from '../../lambdas/notify/sns/tell-sns.ts'
import { tellWebhook } from '../../lambdas/notify/webhook/tell-webhook.ts'
import { AlertmanagerStandIn } from './alertmanager.ts'
import { FaultServer, type Reply, type TlsSetup, type Vendor } from './fault-server.ts'
import { GithubStandIn } from './github.ts'
import { JiraStandIn } from './jira.ts'
import { PagerDutyStandIn } from './pagerduty.ts'
import { FalcosidekickStandIn, WebhookStandIn } from './receivers.ts'
import { SecurityHubStandIn } from './security-hub.ts'
import { SlackStandIn } from './slack.ts'

/** What is seen of one incident at a destination. */
export interface Seen {
  readonly subject: string
  readonly state: 'open' | 'closed'
}

/** A destination on this machine, ready to be told. */
export interface Case {
  readonly server: FaultServer
  readonly destination: Destination
  readonly secret: Readonly<Record<string, string>>
  readonly make: MakeSender
  /** What people see: an incident twice is twice in it. */
  seen(now: number): Promise<readonly Seen[]> | readonly Seen[]
  /** The one secret (or permission) that it takes is another one from now on; gives the new members. */
  changeLogin(): Readonly<Record<string, string>>
  remove(): Promise<void> | void
  /** Ids of messages about responses that people see, each as often as they see it; none when it shows no ids. */
  lines?(): readonly string[]
  /** Texts that it would take for markup: mentions, links, images. */
  markup?(): readonly string[]
  stop(): Promise<void>
}

/** What a kind of destination cannot promise, and why. */
export interface CaseTraits {
  /** A message whose answer was lost comes twice: there is nothing to look it up by. */
  readonly repeatsWhatWasLost?: true
  /** Has no state: every message is one, and the end of an incident may be none. */
  readonly isLog?: true
  /** Reached through an SDK of AWS: its TLS and credentials are not ours. */
  readonly isAws?: true
}

export interface CaseMaker extends CaseTraits {
  readonly name: string
  readonly start: (tls?: TlsSetup, now?: () => number) => Promise<Case>
}

function destinationOf(
  kind: DestinationKind,
  url: string | undefined,
  settings: Readonly<Record<string, string>> = {},
): Destination {
  const defaults = Object.entries(kindSettings[kind].settings).flatMap(([name, setting]) =>
    setting.default === undefined ? [] : [[name, setting.default] as const],
  )
  return {
    ...{ name: kind, kind, reach: 'internet', timeoutMs: 400, giveUpMs: 86_400_000 },
    settings: { ...Object.fromEntries(defaults), ...settings },
    urls: url === undefined ? [] : [url],
    rate: { messages: 1, perMs: 1000 },
    at: { file: 'routes.yaml', line: 1, column: 1, offset: 0, length: 0 },
  }
}

const linesIn = (text: string) =>
  [...text.matchAll(/(?:· response |lanner-response:)([0-9a-f]+-\d+)/g)].map(([, id = '']) => id)
const subjectIn = (text: string) => /[0-9a-f]{64}/.exec(text)?.[0] ?? ''

const slackBot: CaseMaker = {
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

const slackWebhook: CaseMaker = {
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

const alertmanager: CaseMaker = {
  name: 'Alertmanager',
  start: async (tls) => {
    const vendor = new AlertmanagerStandIn()
    vendor.authorization = 'Bearer good'
    const server = await FaultServer.start(vendor, tls)
    let isThere = true
    const serve = vendor.serve.bind(vendor)
    vendor.serve = (request): Reply => (isThere ? serve(request) : { status: 404 })
    return {
      server,
      destination: destinationOf('alertmanager', server.url),
      secret: { token: 'good' },
      make: tellAlertmanager,
      seen: (now) =>
        [...vendor.alerts.values()].map(({ annotations, endsAt }) => ({
          subject: annotations?.['incident'] ?? '',
          state: Date.parse(endsAt ?? '') > now ? 'open' : 'closed',
        })),
      changeLogin: () => {
        vendor.authorization = 'Bearer new'
        return { token: 'new' }
      },
      remove: () => {
        isThere = false
      },
      stop: () => server.stop(),
    }
  },
}

const pagerDuty: CaseMaker = {
  name: 'PagerDuty',
  start: async (tls) => {
    const vendor = new PagerDutyStandIn()
    const server = await FaultServer.start(vendor, tls)
    return {
      server,
      destination: destinationOf('pagerduty', server.url),
      secret: { 'routing-key': vendor.routingKey },
      make: tellPagerDuty,
      seen: () =>
        [...vendor.incidents].map(([key, { state }]) => ({
          ...{ subject: subjectIn(key), state: state === 'resolved' ? 'closed' : 'open' },
        })),
      changeLogin: () => {
        vendor.routingKey = 'N'.repeat(32)
        return { 'routing-key': vendor.routingKey }
      },
      remove: () => {
        server.fault = () => ({ status: 404 })
      },
      stop: () => server.stop(),
    }
  },
}

const jira: CaseMaker = {
  name: 'Jira',
  start: async (tls) => {
    const vendor = new JiraStandIn()
    const server = await FaultServer.start(vendor, tls)
    return {
      server,
      destination: destinationOf('jira', server.url, {
        ...{ project: 'SEC', 'done-transition': 'Done' },
      }),
      secret: { email: 'bot@example.com', token: 'good' },
      make: tellJira,
      seen: () =>
        vendor.issues.map(({ fields, status }) => ({
          subject: fields.labels.includes(`lanner-${'1'.repeat(40)}`) ? '1'.repeat(64) : '',
          state: status === 'Done' ? 'closed' : 'open',
        })),
      lines: () => linesIn(JSON.stringify(vendor.issues)),
      changeLogin: () => {
        vendor.login = `Basic ${Buffer.from('bot@example.com:new').toString('base64')}`
        return { email: 'bot@example.com', token: 'new' }
      },
      remove: () => {
        server.fault = () => ({ status: 404, body: 'Site not found' })
      },
      stop: () => server.stop(),
    }
  },
}

const github: CaseMaker = {
  name: 'GitHub',
  start: async (tls) => {
    const vendor = new GithubStandIn()
    const server = await FaultServer.start(vendor, tls)
    return {
      server,
      destination: destinationOf('github', server.url, {
        ...{ repository: 'acme/security', 'close-issue': 'true' },
      }),
      secret: { token: 'good' },
      make: tellGithub,
      seen: () => vendor.issues.map(({ body, state }) => ({ subject: subjectIn(body), state })),
      lines: () => linesIn(JSON.stringify(vendor.issues)),
      changeLogin: () => {
        vendor.token = 'new'
        return { token: 'new' }
      },
      remove: () => {
        vendor.repository = 'acme/elsewhere'
      },
      markup: () =>
        vendor.issues
          .flatMap(({ body, comments }) => [body, ...comments])
          .flatMap((text) =>
            [
              ...openMarkdown(text).matchAll(
                /(?<![\w&#])@\w+|<(?!!--|https:)[a-z!/]\S*|!\[|\]\((?!https:\/\/attack|<https:\/\/lanner\.example\/)/gi,
              ),
            ].map(([found]) => found),
          ),
      stop: () => server.stop(),
    }
  },
}

/** Markdown without its code and its escaped signs, in which nothing is read. */
function openMarkdown(text: string): string {
  const blocks = text.replace(/^(`{3,})text\n[\s\S]*?\n\1$/gm, '')
  let open = ''
  for (let at = 0; at < blocks.length; ) {
    const [run] = /^`+/.exec(blocks.slice(at, at + 200)) ?? []
    if (blocks[at] === '\\') at += 2
    else if (run === undefined) open += blocks[at++]
    else {
      const end = blocks.slice(at + run.length).search(new RegExp(`(?<!\`)${run}(?!\`)`))
      at += end < 0 ? run.length : end + 2 * run.length
    }
  }
  return open
}

const securityHub: CaseMaker = {
  ...{ name: 'Security Hub', isAws: true },
  start: async (tls) => {
    const vendor = new SecurityHubStandIn()
    const server = await FaultServer.start(vendor, tls)
    const client = new SecurityHubClient({
      ...{ region: 'eu-central-1', endpoint: server.url, maxAttempts: 1 },
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    })
    const place = { partition: 'aws', region: 'eu-central-1', account: '123456789012' }
    return {
      server,
      destination: destinationOf('security-hub', undefined),
      secret: {},
      make: tellSecurityHub(client, place),
      seen: () =>
        [...vendor.findings.values()].map((finding) => ({
          subject: subjectIn(finding.Id),
          state: (finding['ProductFields'] as Record<string, string>)['lanner/State'] as 'open',
        })),
      changeLogin: () => {
        server.fault = () => ({
          ...{ status: 403, headers: { 'x-amzn-errortype': 'AccessDeniedException' } },
          body: '{"message":"not authorized"}',
        })
        return {}
      },
      remove: () => {
        vendor.isEnabled = false
      },
      stop: () => server.stop(),
    }
  },
}

const sns: CaseMaker = {
  ...{ name: 'SNS', isAws: true, isLog: true, repeatsWhatWasLost: true },
  start: async (tls) => {
    const fauxqs = await startFauxqs({ port: 0, logger: false })
    const endpoint = `http://127.0.0.1:${fauxqs.port}`
    const base = {
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    }
    const direct = new SNSClient({ ...base, endpoint })
    const sqs = new SQSClient({ ...base, endpoint })
    const { TopicArn: topic = '' } = await direct.send(new CreateTopicCommand({ Name: 'alerts' }))
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'inbox' }))
    const Endpoint = 'arn:aws:sqs:us-east-1:000000000000:inbox'
    await direct.send(new SubscribeCommand({ TopicArn: topic, Protocol: 'sqs', Endpoint }))
    const vendor: Vendor = {
      serve: async ({ method, headers, body }) => {
        const { host: _, 'content-length': __, connection: ___, expect: ____, ...rest } = headers
        const given = rest as Record<string, string>
        const answer = await fetch(endpoint, { method, headers: given, body: new Uint8Array(body) })
        const type = answer.headers.get('content-type') ?? 'text/xml'
        return {
          status: answer.status,
          body: await answer.text(),
          headers: { 'content-type': type },
        }
      },
    }
    const server = await FaultServer.start(vendor, tls)
    const client = new SNSClient({ ...base, endpoint: server.url, maxAttempts: 1 })
    const seen: Seen[] = []
    return {
      server,
      destination: destinationOf('sns', undefined, { topic }),
      secret: {},
      make: tellSns(client),
      seen: async () => {
        for (;;) {
          const receive = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 }
          const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(receive))
          if (Messages.length === 0) return seen
          for (const { Body = '' } of Messages) {
            const { Message } = JSON.parse(Body) as { Message: string }
            const parsed = JSON.parse(Message) as { default?: string }
            // the emulator hands on all forms of a message instead of that of the protocol
            const { subject, state } = JSON.parse(parsed.default ?? Message) as Seen
            seen.push({ subject, state })
          }
        }
      },
      changeLogin: () => {
        const body =
          '<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>no</Message></Error></ErrorResponse>'
        server.fault = () => ({ status: 403, body, headers: { 'content-type': 'text/xml' } })
        return {}
      },
      remove: async () => {
        await direct.send(new DeleteTopicCommand({ TopicArn: topic }))
      },
      stop: async () => {
        await server.stop()
        for (const one of [direct, sqs, client]) one.destroy()
        await fauxqs.stop()
      },
    }
  },
}

const webhook: CaseMaker = {
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

const falcosidekick: CaseMaker = {
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

/** Every kind of destination against a server that keeps the vendor's documented limits. */
export const cases: readonly CaseMaker[] = [
  ...[sns, slackBot, slackWebhook, alertmanager, pagerDuty, jira, github, securityHub],
  ...[webhook, falcosidekick],
]
