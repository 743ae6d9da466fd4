import { PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SubscribeCommand } from '@aws-sdk/client-sns'
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { localCredentials } from '../../infra/local/clients.ts'
import { type LocalStack, startLocal } from '../../infra/local/start-local.ts'
import { topology } from '../../infra/topology/index.ts'
import { detailTypes } from '../../lambdas/shared/bus-messages.ts'
import { AlertmanagerStandIn } from '../destinations/alertmanager.ts'
import { FaultServer } from '../destinations/fault-server.ts'
import {
  sampleAwaiting,
  sampleClosed,
  sampleMessage,
  sampleResponse,
} from '../destinations/sample-messages.ts'
import { SlackStandIn } from '../destinations/slack.ts'

const slack = new SlackStandIn()
const alertmanager = new AlertmanagerStandIn()
let servers: FaultServer[] = []
let stack: LocalStack
const logs: string[] = []

beforeAll(async () => {
  servers = [await FaultServer.start(slack), await FaultServer.start(alertmanager)]
  const stages = ['router', 'notify-sns', 'notify-slack', 'notify-alertmanager']
  stack = await startLocal(topology, {
    stages,
    log: (stage, line) => logs.push(`${stage} ${line}`),
  })
  const { s3, sns, sqs } = stack.clients
  const routes = `
match: all
destinations:
  - {destination: topic, kind: sns}
  - {destination: chat, kind: slack, channel: C0123456789, secret: lanner/notify/slack, url: '${servers[0]!.url}'}
  - {destination: prometheus, kind: alertmanager, urls: ['${servers[1]!.url}']}
routes:
  - {route: severe, priority: critical, to: [chat, prometheus, topic]}
default: {to: topic}
`
  const Bucket = stack.names.name('rules')
  await s3.send(new PutObjectCommand({ Bucket, Key: 'routes.yaml', Body: routes }))
  const secrets = new SecretsManagerClient({
    ...{ region: 'us-east-1', endpoint: stack.endpoints.secrets_manager },
    credentials: localCredentials,
  })
  const SecretString = JSON.stringify({ token: slack.token })
  await secrets.send(new CreateSecretCommand({ Name: 'lanner/notify/slack', SecretString }))
  secrets.destroy()
  await sqs.send(new CreateQueueCommand({ QueueName: 'inbox' }))
  const TopicArn = stack.names.arn('alerts')
  const Endpoint = 'arn:aws:sqs:us-east-1:000000000000:inbox'
  // the emulator cannot filter by lists, such as the tactics
  const FilterPolicy = JSON.stringify({ severity: ['critical'], cluster: ['prod-eu'] })
  const Attributes = { FilterPolicy }
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint, Attributes }))
}, 60_000)
afterAll(async () => {
  await stack?.stop()
  for (const server of servers) await server.stop()
})

async function put(type: string, detail: object): Promise<void> {
  const EventBusName = stack.names.name('bus')
  const entry = { Source: 'lanner', DetailType: type, Detail: JSON.stringify(detail), EventBusName }
  await stack.clients.eventbridge.send(new PutEventsCommand({ Entries: [entry] }))
}

async function inbox(): Promise<string[]> {
  const QueueUrl = `${stack.endpoints.sqs}/000000000000/inbox`
  const receive = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 }
  const { Messages = [] } = await stack.clients.sqs.send(new ReceiveMessageCommand(receive))
  return Messages.map(({ Body = '' }) => (JSON.parse(Body) as { Message: string }).Message)
}

const until = async (isTrue: () => boolean | Promise<boolean>) => {
  const started = performance.now()
  while (!(await isTrue())) {
    if (performance.now() - started > 40_000) throw new Error(`not in time:\n${logs.join('\n')}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return performance.now() - started
}

it('an incident on the bus reaches a chat, an Alertmanager and a topic, each once', async () => {
  const opened = sampleMessage()
  // the bus promises at least once
  await put(detailTypes.opened, opened)
  await put(detailTypes.opened, opened)
  const mails: string[] = []
  await until(async () => {
    mails.push(...(await inbox()))
    return slack.living.length > 0 && alertmanager.alerts.size > 0 && mails.length > 0
  })
  await stack.settle(20_000)
  mails.push(...(await inbox()))
  expect([slack.messages.length, alertmanager.alerts.size, mails.length]).toEqual([1, 1, 1])
  expect(mails[0]).toContain('Standard streams redirected')
}, 60_000)

it('what a response waits for is in the thread of its incident, with the command that approves it', async () => {
  const inTime = new Date(Date.now() + 600_000).toISOString()
  const approve = { ...sampleAwaiting.approve!, until: inTime }
  await put(detailTypes.planned, { ...sampleAwaiting, approve })
  await put(detailTypes.planned, { ...sampleAwaiting, approve })
  const mails: string[] = []
  await until(async () => {
    mails.push(...(await inbox()))
    return slack.messages.length > 1 && alertmanager.alerts.size > 1 && mails.length > 0
  })
  await stack.settle(20_000)
  mails.push(...(await inbox()))
  expect([slack.messages.length, alertmanager.burning(Date.now()).length, mails.length]).toEqual([
    2, 2, 1,
  ])
  const [incident, reply] = slack.messages
  expect(reply!.threadTs).toBe(incident!.ts)
  const { response, planHash } = { ...sampleAwaiting, ...approve }
  const command = `lanner approve ${response} --plan ${planHash}`
  expect(JSON.stringify(reply!.body)).toContain(command)
  expect(mails[0]).toContain(command)
  await put(detailTypes.approved, sampleResponse(1, { text: 'approved by ann' }))
  await until(() => slack.messages.length > 2 && alertmanager.burning(Date.now()).length === 1)
}, 60_000)

it('its end goes to those who know of its beginning, although no route fits any more', async () => {
  const ended = sampleClosed({ revision: 2, priority: 'Notice' })
  await put(detailTypes.closed, ended)
  await until(() => slack.living[0]!.edits > 0 && alertmanager.burning(Date.now()).length === 0)
  expect(slack.living).toHaveLength(1)
  expect(slack.living[0]!.body.text).toMatch(/closed/)
}, 60_000)

it('what an approved exception covers wakes nobody', async () => {
  const suppressed = { id: 'x', owner: 'o', reason: 'r', until: '2027-01-01T00:00:00Z' }
  const before = servers[0]!.requests.length
  await put(detailTypes.opened, sampleMessage({ id: '9'.repeat(64), suppressed }))
  await stack.settle(20_000)
  expect(servers[0]!.requests.length).toBe(before)
}, 60_000)
