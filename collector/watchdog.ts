import type { NoticeKind } from '#events'
import type { NodeFigures } from './metrics.ts'

export interface WatchdogOptions {
  readonly notify: (kind: NoticeKind, text: string) => void
  readonly figures: () => NodeFigures
  /** Milliseconds that only grow. */
  readonly now?: () => number
}

/** A look that comes this late means that the agent does not get to run. */
const lateMs = 10_000
/** A spool that has waited this long is no hiccup any more. */
const longUnsentMs = 300_000

/** Looks at the agent's own figures now and then, and says what nobody should have to look for. */
export class Watchdog {
  readonly #options: Required<WatchdogOptions>
  #lost: Readonly<Record<string, number>> = {}
  #tampered = 0
  #lastLook: number

  constructor(options: WatchdogOptions) {
    this.#options = { now: () => performance.now(), ...options }
    this.#lastLook = this.#options.now()
  }

  /** To be called every second or two. */
  look(): void {
    this.#lastLook = this.#options.now()
    const figures = this.#options.figures()
    this.#tellLosses(figures)
    const { tampered } = figures
    if (tampered > this.#tampered) {
      this.#options.notify(
        'sensor-changed',
        `the programs or maps of the kernel side were changed from outside (${tampered - this.#tampered} times) and put right`,
      )
    }
    this.#tampered = tampered
  }

  #tellLosses({ kernel, lost }: NodeFigures): void {
    const now: Record<string, number> = { ...lost }
    // what is held back by the limit is told when it is
    delete now['limit']
    for (const [name, count] of Object.entries(kernel.lost)) now[`ring-${name}`] = count
    const more = Object.entries(now).flatMap(([place, count]) => {
      const fresh = count - (this.#lost[place] ?? 0)
      return fresh > 0 ? [`${fresh} at ${place}`] : []
    })
    this.#lost = now
    if (more.length > 0) this.#options.notify('events-lost', `events were lost: ${more.join(', ')}`)
  }

  /** Why the agent is not well; empty when it is. */
  complaints(): readonly string[] {
    const { outlet } = this.#options.figures()
    const late = this.#options.now() - this.#lastLook
    return [
      ...(late > lateMs ? [`the agent has not run for ${Math.round(late / 1000)} s`] : []),
      ...(outlet !== undefined && outlet.ship.oldestUnsentMs > longUnsentMs
        ? [
            `batches wait for ${Math.round(outlet.ship.oldestUnsentMs / 1000)} s: ${outlet.ship.lastError ?? ''}`,
          ]
        : []),
    ]
  }
}
