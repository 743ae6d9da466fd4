import { json, type Received, type Reply, type Vendor } from './fault-server.ts'

interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly startsAt?: string
  readonly endsAt?: string
}

/** Alertmanager's API v2: an alert is its labels; the newest message about them counts. */
export class AlertmanagerStandIn implements Vendor {
  /** By fingerprint. */
  readonly alerts = new Map<string, Alert>()
  authorization: string | undefined

  serve({ method, path, headers, body }: Received): Reply {
    if (this.authorization !== undefined && headers.authorization !== this.authorization) {
      return { status: 401, body: 'Unauthorized' }
    }
    if (method !== 'POST' || path !== '/api/v2/alerts') return { status: 404, body: 'not found' }
    const wrong: string[] = []
    for (const alert of JSON.parse(body.toString()) as Alert[]) {
      const problem = problemOf(alert)
      if (problem !== undefined) wrong.push(problem)
      else this.alerts.set(fingerprintOf(alert), alert)
    }
    return wrong.length === 0 ? { status: 200 } : json(400, wrong.join('; '))
  }

  burning(now: number): Alert[] {
    return [...this.alerts.values()].filter(({ endsAt }) => Date.parse(endsAt ?? '') > now)
  }
}

function fingerprintOf({ labels }: Alert): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function problemOf({ labels, annotations = {}, startsAt, endsAt }: Alert): string | undefined {
  const names = [...Object.keys(labels), ...Object.keys(annotations)]
  if (Object.keys(labels).length === 0) return 'at least one label pair required'
  const bad = names.find((name) => !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name))
  if (bad !== undefined) return `invalid label name ${bad}`
  const texts = [...Object.values(labels), ...Object.values(annotations)]
  if (texts.some((text) => typeof text !== 'string')) return 'values are strings'
  const start = Date.parse(startsAt ?? '')
  const end = Date.parse(endsAt ?? '')
  if (Number.isNaN(start) || Number.isNaN(end)) return 'times are RFC 3339'
  return end < start ? 'start time must be before end time' : undefined
}
