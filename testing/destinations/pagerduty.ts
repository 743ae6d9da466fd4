import { json, type Received, type Reply, type Vendor } from './fault-server.ts'

interface Event {
  readonly routing_key?: string
  readonly event_action?: string
  readonly dedup_key?: string
  readonly payload?: {
    readonly summary?: string
    readonly source?: string
    readonly severity?: string
    readonly timestamp?: string
  }
}

export interface PagerIncident {
  state: 'triggered' | 'resolved'
  triggers: number
  severity: string
}

/** PagerDuty's Events API v2 with its limits: 512 KB, summary 1,024, key 255 characters. */
export class PagerDutyStandIn implements Vendor {
  routingKey = 'R'.repeat(32)
  readonly incidents = new Map<string, PagerIncident>()

  serve({ method, path, body }: Received): Reply {
    if (method !== 'POST' || path !== '/v2/enqueue') return { status: 404 }
    if (body.length > 512_000) return { status: 413, body: 'too large' }
    const event = JSON.parse(body.toString()) as Event
    const errors = [...mistakes(event)]
    if (event.routing_key !== this.routingKey) errors.push('Invalid routing key')
    if (errors.length > 0) {
      return json(400, { status: 'invalid event', message: 'Event object is invalid', errors })
    }
    const key = event.dedup_key!
    const known = this.incidents.get(key)
    if (event.event_action === 'resolve') {
      if (known !== undefined) known.state = 'resolved'
    } else {
      const severity = event.payload!.severity!
      const triggers = (known?.triggers ?? 0) + 1
      this.incidents.set(key, { state: 'triggered', triggers, severity })
    }
    return json(202, { status: 'success', message: 'Event processed', dedup_key: key })
  }
}

function* mistakes({ event_action: action, dedup_key: key, payload }: Event): Generator<string> {
  if (action !== 'trigger' && action !== 'resolve') yield "'event_action' is missing or invalid"
  if (key === undefined || key.length > 255) yield "'dedup_key' is missing or too long"
  if (action !== 'trigger') return
  const { summary = '', source = '', severity = '', timestamp = '' } = payload ?? {}
  if (summary === '' || summary.length > 1024) yield "'payload.summary' is missing or too long"
  if (source === '') yield "'payload.source' is missing or blank"
  if (!['critical', 'error', 'warning', 'info'].includes(severity)) {
    yield "'payload.severity' is invalid"
  }
  if (Number.isNaN(Date.parse(timestamp))) yield "'payload.timestamp' is no time"
}
