import { SecurityHubClient } from '@aws-sdk/client-securityhub'
import {
  CreateTopicCommand,
  DeleteTopicCommand,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns'
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { startFauxqs } from 'fauxqs'
import { tellSecurityHub } from '../../../lambdas/notify/security-hub/tell-security-hub.ts'
import { tellSns } from '../../../lambdas/notify/sns/tell-sns.ts'
import { FaultServer, type Vendor } from '../fault-server.ts'
import { SecurityHubStandIn } from '../security-hub.ts'
import { type CaseMaker, destinationOf, type Seen, subjectIn } from './case.ts'

export const securityHub: CaseMaker = {
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

export const sns: CaseMaker = {
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
