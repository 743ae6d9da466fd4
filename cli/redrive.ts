import { parseArgs } from 'node:util'
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import {
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { type Io, UsageError } from './io.ts'
import { printable } from './printable.ts'

export const usage = `usage: lanner redrive DEAD [--to QUEUE] [OPTION]...

Puts what lies among dead letters on its way again: each message goes to QUEUE, and then out of DEAD.
Alerts that were given up begin anew, with all the time of their destination. What the bus did not
take goes to the bus. DEAD and QUEUE are names or URLs; QUEUE is by default the one that DEAD belongs
to, its name without "-dead". Messages told twice are shown once.

  --list                    only show what lies there, and why
  --to QUEUE                where to, if not where it came from
  --bus NAME                the bus for what it did not take: lanner-bus
  --most N                  at most so many messages: 1000
  --json                    one object a message, for machines

Account and region are those of the AWS environment (AWS_PROFILE, AWS_REGION, …).`

interface DeadLetter {
  readonly handle: string
  readonly body: string
  /** Milliseconds of the epoch. */
  readonly sentAt: number
}

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args)
  const [dead, ...more] = positionals
  if (dead === undefined) throw new UsageError('the dead-letter queue is missing')
  if (more.length > 0) throw new UsageError(`unexpected argument "${more[0]}"`)
  const most = Number(values.most ?? '1000')
  if (!Number.isInteger(most) || most < 1) throw new UsageError('--most is a number above 0')
  const sqs = new SQSClient()
  const bus = new EventBridgeClient()
  try {
    const from = await urlOf(sqs, dead)
    const to = values.list ? '' : await targetOf(sqs, dead, values.to)
    let done = 0
    const seen = new Set<string>()
    while (done < most) {
      const letters = await receive(sqs, from, Math.min(10, most - done), values.list === true)
      if (letters.length === 0) break
      for (const letter of letters) {
        if (!values.list) {
          const entry = entryOf(letter.body)
          if (entry === undefined) await resend(sqs, to, letter.body)
          else await putAgain(bus, values.bus ?? 'lanner-bus', entry)
          const out = { QueueUrl: from, ReceiptHandle: letter.handle }
          await sqs.send(new DeleteMessageCommand(out))
        } else if (seen.has(letter.body)) continue
        seen.add(letter.body)
        done += 1
        show(letter, values.json === true, io)
      }
    }
    io.err(
      `lanner: ${done} message${done === 1 ? '' : 's'} ${values.list ? 'there' : 'on the way again'}\n`,
    )
    return 0
  } finally {
    sqs.destroy()
    bus.destroy()
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        list: { type: 'boolean' },
        to: { type: 'string' },
        bus: { type: 'string' },
        most: { type: 'string' },
        json: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

async function urlOf(sqs: SQSClient, queue: string): Promise<string> {
  if (/^https?:\/\//.test(queue)) return queue
  try {
    const { QueueUrl = '' } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue }))
    return QueueUrl
  } catch (error) {
    throw new UsageError(`there is no queue "${queue}" here: ${(error as Error).message}`)
  }
}

/** Where the letters came from, unless it is said. Those of the bus have no queue and need none. */
async function targetOf(sqs: SQSClient, dead: string, to: string | undefined): Promise<string> {
  if (to !== undefined) return urlOf(sqs, to)
  if (/(?:^|[/-])bus-dead$/.test(dead)) return ''
  if (!dead.endsWith('-dead'))
    throw new UsageError(`--to is needed: "${dead}" does not end in -dead`)
  return urlOf(sqs, dead.slice(0, -'-dead'.length))
}

async function receive(
  sqs: SQSClient,
  QueueUrl: string,
  MaxNumberOfMessages: number,
  isLook: boolean,
): Promise<DeadLetter[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      ...{ QueueUrl, MaxNumberOfMessages, WaitTimeSeconds: 1 },
      // what is only looked at is there again soon, and yet not twice in one look
      VisibilityTimeout: isLook ? 30 : 120,
      MessageSystemAttributeNames: ['SentTimestamp'],
    }),
  )
  return Messages.map(({ ReceiptHandle = '', Body = '', Attributes }) => ({
    ...{ handle: ReceiptHandle, body: Body, sentAt: Number(Attributes?.SentTimestamp ?? 0) },
  }))
}

/** A message as it was at first: nobody waits for its turn any more, and its time begins anew. */
async function resend(sqs: SQSClient, QueueUrl: string, body: string): Promise<void> {
  if (QueueUrl === '') throw new UsageError('--to is needed for what did not come from the bus')
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: renewed(body) }))
}

function renewed(body: string): string {
  const json = objectIn(body)
  if (json === undefined || typeof json['destination'] !== 'string') return body
  const { reason: _, notBefore: __, hasTurn: ___, timer: ____, ...rest } = json
  return JSON.stringify({ ...rest, attempt: 0, since: Date.now() })
}

interface BusEntry {
  readonly Source: string
  readonly DetailType: string
  readonly Detail: string
  readonly Time?: string
}

/** An entry that the bus did not take, as its sender keeps it. */
function entryOf(body: string): BusEntry | undefined {
  const entry = objectIn(body)?.['entry'] as Partial<BusEntry> | undefined
  if (typeof entry?.Detail !== 'string' || typeof entry.DetailType !== 'string') return undefined
  return { Source: 'lanner', ...entry } as BusEntry
}

async function putAgain(client: EventBridgeClient, bus: string, entry: BusEntry): Promise<void> {
  const { Source, DetailType, Detail, Time } = entry
  const again = {
    ...{ Source, DetailType, Detail, EventBusName: bus },
    ...(Time !== undefined && { Time: new Date(Time) }),
  }
  const { Entries = [] } = await client.send(new PutEventsCommand({ Entries: [again] }))
  const code = Entries[0]?.ErrorCode
  if (code !== undefined) throw new Error(`the bus does not take it: ${code}`)
}

function objectIn(body: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(body)
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function show({ body, sentAt }: DeadLetter, json: boolean, io: Io): void {
  const found = objectIn(body) ?? {}
  const { destination, reason } = found
  const type = found['detailType'] ?? (found['entry'] as BusEntry | undefined)?.DetailType
  const at = sentAt === 0 ? '' : new Date(sentAt).toISOString()
  if (json) {
    io.out(`${JSON.stringify({ at, destination, type, reason, body })}\n`)
    return
  }
  const parts = [at, destination, type, reason ?? body.slice(0, 120)]
  io.out(
    `${parts
      .filter(Boolean)
      .map((part) => printable(String(part)))
      .join('  ')}\n`,
  )
}
