import { createHmac, timingSafeEqual } from 'node:crypto'
import { json, type Received, type Reply, type Vendor } from './fault-server.ts'

/** A receiver of signed events that checks them as Standard Webhooks says, and knows repeats by their id. */
export class WebhookStandIn implements Vendor {
  key = 'a key of the receiver'
  isThere = true
  now: () => number = Date.now
  /** Events by id. */
  readonly events = new Map<string, Record<string, unknown>>()
  repeats = 0

  serve({ headers, body }: Received): Reply {
    if (!this.isThere) return { status: 410 }
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = headers
    const mac = createHmac('sha256', this.key).update(`${id}.${at}.${body}`).digest()
    const given = Buffer.from(String(signature).replace('v1,', ''), 'base64')
    if (given.length !== mac.length || !timingSafeEqual(mac, given)) return { status: 401 }
    if (Math.abs(this.now() / 1000 - Number(at)) > 300) return { status: 401, body: 'too old' }
    if (body.length > 256 << 10) return { status: 413 }
    const event = JSON.parse(body.toString())
    if (event.specversion !== '1.0' || !event.id || !event.source || !event.type) {
      return { status: 400, body: 'no CloudEvent' }
    }
    if (this.events.has(String(id))) this.repeats += 1
    this.events.set(String(id), event)
    return { status: 204 }
  }
}

/** Falcosidekick's input: what it refuses, it refuses with 400. */
export class FalcosidekickStandIn implements Vendor {
  authorization: string | undefined
  isThere = true
  readonly alerts: Record<string, unknown>[] = []

  serve({ method, path, headers, body }: Received): Reply {
    if (!this.isThere || path !== '/') return { status: 404 }
    if (method !== 'POST') return { status: 405, body: 'Please send with post http method' }
    if (this.authorization !== undefined && headers.authorization !== this.authorization) {
      return { status: 401 }
    }
    let alert: Record<string, unknown>
    try {
      alert = JSON.parse(body.toString())
    } catch {
      return { status: 400, body: 'Please send a valid request body' }
    }
    const texts = ['output', 'priority', 'rule', 'source', 'hostname', 'time']
    const fields = Object.values((alert['output_fields'] as object | undefined) ?? {})
    const isWhole =
      texts.every((name) => typeof alert[name] === 'string') &&
      !Number.isNaN(Date.parse(String(alert['time']))) &&
      Array.isArray(alert['tags']) &&
      fields.length > 0 &&
      fields.every((value) => ['string', 'number', 'boolean'].includes(typeof value))
    if (!isWhole) return { status: 400, body: 'Please send a valid request body' }
    this.alerts.push(alert)
    return json(200, {})
  }
}
