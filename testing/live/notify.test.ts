import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SubscribeCommand } from '@aws-sdk/client-sns'
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeArtefact } from '#artefact'
import { artefactOf } from '../../cli/artefact.ts'
import { LocalNode } from '../../cli/local/node.ts'
import { RuleBucket } from '../../cli/rule-bucket.ts'
import { loadRuleFiles, parseRuleOptions } from '../../cli/rule-options.ts'
import { localCredentials } from '../../infra/local/clients.ts'
import { type LocalStack, startLocal } from '../../infra/local/start-local.ts'
import { topology } from '../../infra/topology/index.ts'
import { AlertmanagerStandIn } from '../destinations/alertmanager.ts'
import { FaultServer } from '../destinations/fault-server.ts'
import { SlackStandIn } from '../destinations/slack.ts'
import { whyNotLive } from './machine.ts'
import { act } from './watcher.ts'

const reason = whyNotLive()
const library = 'rules/library'

describe.skipIf(reason !== '')(`live: an attack reaches people ${reason}`, () => {
  const slack = new SlackStandIn()
  const alertmanager = new AlertmanagerStandIn()
  let servers: FaultServer[] = []
  let stack: LocalStack
  let node: LocalNode
  const mails: { readonly at: number; readonly text: string }[] = []
  let receiving = true
  let receiver: Promise<void>
  const logs: string[] = []

  beforeAll(async () => {
    servers = [await FaultServer.start(slack), await FaultServer.start(alertmanager)]
    const stages = ['evaluate', 'router', 'notify-sns', 'notify-slack', 'notify-alertmanager']
    stack = await startLocal(topology, {
      stages,
      log: (stage, line) => void logs.push(`${stage} ${line}`),
    })
    const { s3, sns, sqs, kinesis: _ } = stack.clients
    const secrets = new SecretsManagerClient({
      ...{ region: 'us-east-1', endpoint: stack.endpoints.secrets_manager },
      credentials: localCredentials,
    })
    const SecretString = JSON.stringify({ token: slack.token })
    await secrets.send(new CreateSecretCommand({ Name: 'lanner/notify/slack', SecretString }))
    secrets.destroy()
    await sqs.send(new CreateQueueCommand({ QueueName: 'inbox' }))
    const Endpoint = 'arn:aws:sqs:us-east-1:000000000000:inbox'
    const TopicArn = stack.names.arn('alerts')
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint }))
    receiver = (async () => {
      const QueueUrl = `${stack.endpoints.sqs}/000000000000/inbox`
      while (receiving) {
        const receive = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(receive))
        for (const { Body = '' } of Messages) mails.push({ at: Date.now(), text: Body })
      }
    })()
    const { rules } = parseRuleOptions(['--rules', library], {})
    const loaded = loadRuleFiles(rules)
    const bucket = new RuleBucket(s3, stack.names.name('rules'))
    const set = await bucket.putSet(encodeArtefact(artefactOf(loaded, rules.selections)))
    await bucket.putRoutes(`
match: all
destinations:
  - {destination: topic, kind: sns}
  - {destination: chat, kind: slack, channel: C0123456789, secret: lanner/notify/slack, url: '${servers[0]!.url}', rate: 20/s}
  - {destination: prometheus, kind: alertmanager, urls: ['${servers[1]!.url}']}
default: {to: [topic, chat, prometheus]}
`)
    await bucket.assign({ default: set, clusters: {}, labels: {} })
    node = new LocalNode({
      ...{ rules: [library], stream: stack.names.name('stream'), credentials: localCredentials },
      ...{ endpoint: stack.endpoints.kinesis, say: (line) => void logs.push(`node ${line}`) },
    })
    // functions that start and a node that attaches are not what is measured
    await until(async () => {
      await act('container', '--', 'memfd', '/bin/true')
      await new Promise((resolve) => setTimeout(resolve, 3000))
      return all('Fileless execution').every((at) => at !== undefined)
    }, 90_000)
  }, 120_000)

  afterAll(async () => {
    receiving = false
    await receiver
    await node?.stop()
    await stack?.stop()
    for (const server of servers) await server.stop()
  })

  /** When a rule was first heard of at each destination. */
  const all = (rule: string) => {
    const heard = (server: FaultServer) =>
      server.requests.find(({ body }) => body.includes(rule))?.at
    return [...servers.map(heard), mails.find(({ text }) => text.includes(rule))?.at]
  }

  it('from the system call to a chat, an Alertmanager and a topic', async () => {
    const rule = 'Standard streams redirected to a network connection'
    const started = Date.now()
    // in a container of its own it is no part of what else this machine is found at
    await act('container', '--', 'redirect', '0')
    await until(() => all(rule).every((at) => at !== undefined), 40_000)
    const times = all(rule).map((at) => at! - started)
    console.log(
      `milliseconds from the system call to chat, Alertmanager, topic: ${times.join(', ')}`,
    )
    // five seconds on a machine that does nothing else; what is tested is that each is reached
    expect(Math.max(...times)).toBeLessThan(40_000)
  }, 60_000)

  async function until(isTrue: () => boolean | Promise<boolean>, withinMs: number): Promise<void> {
    const end = Date.now() + withinMs
    while (!(await isTrue())) {
      if (Date.now() > end) throw new Error(`not in time:\n${logs.slice(-30).join('\n')}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
})
