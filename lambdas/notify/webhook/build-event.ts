import { createHmac } from 'node:crypto'
import { machineForm, type Notice } from '../content/index.ts'

export interface SignedEvent {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Bytes of an event: what most receivers take. */
const mostBytes = 240 << 10

/** A CloudEvent (1.0, structured JSON). */
export function buildEvent(notice: Notice): string {
  const head = {
    ...{
      specversion: '1.0',
      id: notice.id,
      source: `/lanner/${notice.where.cluster}`.replace(/\/$/, ''),
    },
    type: `lanner.${notice.about}.${notice.reason}`,
    ...{ subject: notice.subject, time: notice.closed ?? notice.last },
    datacontenttype: 'application/json',
  }
  const text = JSON.stringify(head)
  const data = machineForm(notice, mostBytes - Buffer.byteLength(text) - 20)
  return `${text.slice(0, -1)},"data":${data}}`
}

/**
 * The event with its signature, as Standard Webhooks has it: HMAC-SHA256 over id, time and body, so that
 * a receiver can refuse what is old. A key that begins with `whsec_` is base64.
 */
export function signEvent(notice: Notice, key: string, now: number): SignedEvent {
  const body = buildEvent(notice)
  const timestamp = String(Math.floor(now / 1000))
  const bytes = key.startsWith('whsec_') ? Buffer.from(key.slice(6), 'base64') : Buffer.from(key)
  const signed = createHmac('sha256', bytes).update(`${notice.id}.${timestamp}.${body}`)
  return {
    headers: {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'webhook-id': notice.id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signed.digest('base64')}`,
      'idempotency-key': notice.id,
    },
    body,
  }
}
