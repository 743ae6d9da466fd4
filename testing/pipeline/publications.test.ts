import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readResponses } from '#responses'
import { type LocalStack, startLocal } from '../../infra/local/start-local.ts'
import { topology } from '../../infra/topology/index.ts'
import { newResponses } from '../../lambdas/respond/machine/begin.ts'
import { awsEnvironment } from '../aws/environment.ts'
import { sampleMessage } from '../destinations/sample-messages.ts'
import { lannerProcess } from '../lanner-process.ts'

/** A little more than functions keep what they have read. */
const keptMs = 31_000
const isLong = process.env['LANNER_LONG'] === '1'
const directory = mkdtempSync(join(tmpdir(), 'lanner-publications-'))

const responses = (rule: string) => `
- action: Look
  actionner: kubernetes:describe
- rule: ${rule}
  match: {priority: ">=Debug"}
  actions: [{action: Look}]
`
const routes = (name: string) => `
destinations: [{destination: ${name}, kind: sns}]
default: {to: ${name}}
`

describe.skipIf(!isLong)('functions that run all the time', () => {
  let stack: LocalStack
  const logs: string[] = []

  beforeAll(async () => {
    stack = await startLocal(topology, {
      ...{ stages: ['router', 'respond'], schedules: false },
      log: (_, line) => logs.push(line),
    })
  })
  afterAll(async () => {
    await stack?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  async function publish(name: string): Promise<void> {
    for (const [what, text] of Object.entries({
      responses: responses(name),
      routes: routes(name),
    })) {
      const path = join(directory, `${what}.yaml`)
      writeFileSync(path, text)
      const bucket = stack.names.name('rules')
      const args = [what, 'publish', path, '--bucket', bucket]
      const said = await lannerProcess(args, awsEnvironment(stack.endpoints))
      expect(said).toMatchObject({ code: 0 })
    }
  }

  /** Who is told of a new incident, and which rules answer it. */
  async function answersTo(id: string) {
    const message = sampleMessage({ id })
    const entry = { Source: 'lanner', EventBusName: stack.names.name('bus') }
    const { eventbridge, sqs } = stack.clients
    const Detail = JSON.stringify(message)
    await eventbridge.send(
      new PutEventsCommand({ Entries: [{ ...entry, DetailType: 'Incident Opened', Detail }] }),
    )
    await stack.settle().catch(() => {}) // what is routed stays: nobody takes it here
    const QueueUrl = stack.names.queueUrl('notify-sns')
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    )
    const to: string[] = []
    for (const { Body = '', ReceiptHandle } of Messages) {
      const { destination, detailType } = JSON.parse(Body) as Record<string, string>
      if (detailType === 'Incident Opened') to.push(destination!)
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: ReceiptHandle! }))
    }
    const rules: string[] = []
    for (const rule of ['first', 'second']) {
      const { policy } = readResponses([{ name: 'r', text: responses(rule) }])
      const [state] = newResponses(message, policy, 0)
      const shown = await stack.invoke('respond', { ask: 'show', response: state!.id })
      if ((shown as { ok: boolean }).ok) rules.push(rule)
    }
    return { to, rules }
  }

  it('take up what is published, and keep it when something bad is put there', async () => {
    await publish('first')
    expect(await answersTo('i-1')).toEqual({ to: ['first'], rules: ['first'] })
    await publish('second')
    await delay(keptMs)
    expect(await answersTo('i-2')).toEqual({ to: ['second'], rules: ['second'] })
    for (const Key of ['responses.yaml', 'routes.yaml']) {
      const Bucket = stack.names.name('rules')
      await stack.clients.s3.send(new PutObjectCommand({ Bucket, Key, Body: '- {mode: atuo}' }))
    }
    await delay(keptMs)
    expect(await answersTo('i-3')).toEqual({ to: ['second'], rules: ['second'] })
    const said = logs.join('\n')
    expect(said).toMatch(/responses\.yaml:1:10: error: .*the one before stays in force/)
    expect(said).toMatch(/the routes cannot be used, those of before stay in force/)
  })
})
