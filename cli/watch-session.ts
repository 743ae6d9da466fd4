import type { Firing } from '#correlate'
import { alertJson, alertOf, type Rule } from '#engine'
import { type SyscallEvent, syscallSource } from '#events'
import { type Origin, withContext } from '../collector/agent/alert-context.ts'
import { detectionText, painter } from './detection-text.ts'
import { firingAlert, firingText } from './firing-alert.ts'
import { StatusLine, statusText, type WatchFigures } from './status-line.ts'

export interface SessionOptions {
  readonly json: boolean
  readonly color: boolean
  readonly terminal: boolean
  /** Where the events come from; its node is the alerts' host name. */
  readonly origin: () => Origin
  /** What to do, by rule. */
  readonly runbooks: ReadonlyMap<string, string>
  readonly write: (text: string) => void
  readonly figures: () => Omit<WatchFigures, 'seconds' | 'detections'>
}

/** What a person sees of a watch or a replay: detections as they come, figures at the end. */
export class WatchSession {
  readonly #options: SessionOptions
  readonly #line: StatusLine
  readonly #started = performance.now()
  #before: WatchFigures | undefined
  #timer: NodeJS.Timeout | undefined
  #pending = ''
  detections = 0

  constructor(options: SessionOptions) {
    this.#options = options
    this.#line = new StatusLine(options.terminal, options.write)
  }

  /** Keeps the line of figures fresh. */
  start(): void {
    if (this.#options.terminal && !this.#options.json) {
      this.#timer = setInterval(() => this.#refresh(), 1000)
      this.#refresh()
    }
  }

  /** Shows what rules found in an event; the event need not outlive the call. */
  show(event: SyscallEvent, rules: readonly Rule[]): void {
    const { json, color } = this.#options
    for (const rule of rules) {
      this.detections += 1
      if (json) this.#add(this.#json(event, rule))
      else this.#line.print(detectionText(rule, event, painter(color)))
    }
  }

  /** Shows what a correlation found. */
  showFiring(firing: Firing): void {
    const { json, color, origin, runbooks } = this.#options
    this.detections += 1
    if (!json) this.#line.print(firingText(firing, painter(color)))
    else this.#add(alertJson(firingAlert(firing, origin(), runbooks.get(firing.correlation.name))))
  }

  #add(line: string): void {
    if (this.#pending === '') setImmediate(() => this.flush())
    this.#pending += `${line}\n`
  }

  #json(event: SyscallEvent, rule: Rule): string {
    const origin = this.#options.origin()
    const alert = alertOf(rule, event, syscallSource, { hostname: origin.node })
    return alertJson(withContext(alert, rule, event, origin, this.#options.runbooks.get(rule.name)))
  }

  /** Alerts of one turn are written at once: a system call each would cost more than the rules. */
  flush(): void {
    const text = this.#pending
    this.#pending = ''
    if (text !== '') this.#options.write(text)
  }

  /** Ends the line of figures and gives the closing figures. */
  stop(): string {
    clearInterval(this.#timer)
    this.flush()
    this.#line.clear()
    return statusText(this.#figures(), undefined)
  }

  #figures(): WatchFigures {
    return {
      ...this.#options.figures(),
      detections: this.detections,
      seconds: (performance.now() - this.#started) / 1000,
    }
  }

  #refresh(): void {
    const now = this.#figures()
    this.#line.show(statusText(now, this.#before), process.stdout.columns ?? 80)
    this.#before = now
  }
}
