import type { MessageAttributeValue, PublishCommandInput } from '@aws-sdk/client-sns'
import {
  clip,
  clipBytes,
  machineForm,
  type Notice,
  severityOf,
  statusOf,
  textOf,
} from '../content/index.ts'

/** What SNS takes is 256 KiB, attributes and all. */
const mostBytes = 180 << 10
const mostText = 40 << 10

/**
 * A message for a topic: text for e-mail, JSON for everything else, and eight attributes by which
 * subscriptions choose. A FIFO topic gets one group an incident, and drops what was published twice.
 */
export function buildPublish(notice: Notice, topic: string): PublishCommandInput {
  const message = {
    default: machineForm(notice, mostBytes),
    email: clipBytes(textOf(notice), mostText),
    sms: clipBytes(`${statusOf(notice)}: ${notice.sentence}`, 140),
  }
  return {
    TopicArn: topic,
    Subject: subjectLine(
      `[${statusOf(notice)}] ${notice.title} (${notice.where.cluster || 'Lanner'})`,
    ),
    Message: JSON.stringify(message),
    MessageStructure: 'json',
    MessageAttributes: attributesOf(notice),
    ...(topic.endsWith('.fifo') && {
      MessageGroupId: notice.subject,
      MessageDeduplicationId: safeId(notice.id),
    }),
  }
}

function attributesOf(notice: Notice): Record<string, MessageAttributeValue> {
  const { about, state, title, tactics, where, priority } = notice
  const texts: readonly (readonly [string, string | undefined])[] = [
    ['severity', severityOf(priority)],
    ['rule', notice.response?.rule ?? title],
    ['cluster', where.cluster],
    ['namespace', where.namespace],
    ['team', where.labels['team']],
    ['state', state],
    ['about', about],
    // by which people subscribe to what waits for them
    ['response', about === 'response' ? notice.reason : undefined],
  ]
  const given = texts.flatMap(([name, value]) =>
    value ? [[name, { DataType: 'String', StringValue: clip(value, 256) }]] : [],
  )
  const tactic = {
    DataType: 'String.Array',
    StringValue: JSON.stringify(tactics.length > 0 ? tactics.slice(0, 10) : ['none']),
  }
  return { ...Object.fromEntries(given), tactic }
}

/** At most 100 characters of ASCII, the first no blank. */
function subjectLine(text: string): string {
  const ascii = text.normalize('NFKD').replace(/[^\x20-\x7e]/g, '?')
  return (ascii.length <= 100 ? ascii : `${ascii.slice(0, 97)}...`).trim()
}

function safeId(id: string): string {
  return id.replace(/[^\w!"#$%&'()*+,./:;<=>?@[\\\]^`{|}~-]/g, '_').slice(0, 128)
}
