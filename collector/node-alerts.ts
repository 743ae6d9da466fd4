import { alertJson, alertOf, type Program } from '#engine'
import { type NoticeKind, type SyscallEvent, syscallSource } from '#events'
import { type Origin, withContext } from './agent/alert-context.ts'
import type { Config } from './config/settings.ts'
import type { AlertOutput } from './sinks/alert-output.ts'
import type { Reachability } from './sinks/shipper.ts'

export interface NodeAlertsOptions {
  readonly mode: Config['alerts']['mode']
  readonly outputs: readonly AlertOutput[]
  readonly origin: Origin
  /** What of an event may leave the node; verdicts are of the whole. */
  readonly keep: (event: SyscallEvent) => SyscallEvent
  /** Where the stream stands; asked for each event when alerts depend on it. */
  readonly reachability: () => Reachability
}

/** A short outage is the spool's business: its batches arrive late and the alerts are made then. */
const outageMs = 30_000

/** Severity of what a node says of itself, by Falco's names. */
const severities: Readonly<Record<NoticeKind, string>> = {
  started: 'Informational',
  stopped: 'Informational',
  'rules-changed': 'Informational',
  'rules-refused': 'Error',
  'events-lost': 'Warning',
  limited: 'Warning',
  'sensor-changed': 'Critical',
  canary: 'Debug',
  'pod-watched': 'Debug',
}

/** Alerts as Falco makes them, on the node itself: always, or while the cloud cannot be reached. */
export class NodeAlerts {
  readonly #options: NodeAlertsOptions
  #made = 0

  constructor(options: NodeAlertsOptions) {
    this.#options = options
  }

  get figures(): { readonly made: number; readonly written: number; readonly dropped: number } {
    const { outputs } = this.#options
    return {
      made: this.#made,
      written: outputs.reduce((sum, { figures }) => sum + figures.written, 0),
      dropped: outputs.reduce((sum, { figures }) => sum + figures.dropped, 0),
    }
  }

  get #areWanted(): boolean {
    const { mode, reachability } = this.#options
    if (mode !== 'when-cloud-unreachable') return mode === 'always'
    const { state, forMs } = reachability()
    return state === 'unreachable' && forMs >= outageMs
  }

  /** Evaluates an event that may match; it is valid during the call only. */
  show(event: SyscallEvent, program: () => Program<SyscallEvent>): void {
    if (!this.#areWanted) return
    const { origin, keep } = this.#options
    const rules = program().evaluate(event)
    if (rules.length === 0) return
    const kept = keep(event)
    for (const rule of rules) {
      const alert = alertOf(rule, kept, syscallSource, { hostname: origin.node })
      this.#write(alertJson(withContext(alert, rule, kept, origin, undefined)))
    }
  }

  /** What the node says of itself, in the form of Falco's internal alerts. */
  notify(kind: NoticeKind, text: string): void {
    if (!this.#areWanted) return
    const priority = severities[kind]
    const { node } = this.#options.origin
    const rule = `Lanner internal: ${kind.replaceAll('-', ' ')}`
    const time = new Date().toISOString().replace('Z', '000000Z')
    this.#write(
      JSON.stringify({
        hostname: node,
        output: `${rule}. ${text}`.toWellFormed(),
        output_fields: { text: text.toWellFormed() },
        priority,
        rule,
        source: 'internal',
        tags: [],
        time,
      }),
    )
  }

  #write(line: string): void {
    this.#made += 1
    for (const output of this.#options.outputs) output.write(line)
  }

  async close(): Promise<void> {
    await Promise.all(this.#options.outputs.map((output) => output.close()))
  }
}
