import {
  type Contribution,
  type CorrelationPlan,
  CorrelationRunner,
  compileCorrelations,
  type Firing,
} from '#correlate'
import { alertId, type Priority, type Rule } from '#engine'
import { type SyscallEvent, syscallSource } from '#events'
import { type LoadedCorrelation, matchesPattern, type Selection } from '#load'
import type { Origin } from '../collector/agent/alert-context.ts'
import { sha256 } from './sha256.ts'
import { MemoryStore } from './store/memory-store.ts'

/** Groups and values that one machine remembers; those written longest ago go first. */
const capacity = 4000

/** Correlations over the detections of this machine, with their state in memory. */
export class LiveCorrelations {
  readonly plan: CorrelationPlan<SyscallEvent>
  readonly #runner: CorrelationRunner
  readonly #origin: () => Origin
  readonly #onFiring: (firing: Firing) => void
  readonly #onError: (error: unknown) => void
  #waiting: Contribution[] = []
  #running: Promise<void> | undefined

  constructor(options: {
    readonly correlations: readonly LoadedCorrelation[]
    readonly rules: readonly Rule[]
    readonly origin: () => Origin
    readonly onFiring: (firing: Firing) => void
    readonly onError: (error: unknown) => void
  }) {
    const { correlations, rules, origin, onFiring, onError } = options
    this.plan = compileCorrelations(correlations, rules, syscallSource, sha256)
    this.#origin = origin
    this.#onFiring = onFiring
    this.#onError = onError
    this.#runner = new CorrelationRunner({
      store: new MemoryStore(capacity),
      sha256,
      now: () => Math.floor(Date.now() / 1000),
      random: Math.random,
      pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    })
  }

  /** Whether a rule's detections are shown by themselves. */
  shows(rule: Rule): boolean {
    return !this.plan.hidden.has(rule.name)
  }

  /** Takes in a detection; the event need not outlive the call. */
  note(rule: Rule, event: SyscallEvent): void {
    if (!this.plan.watched.has(rule.name)) return
    const origin = this.#origin()
    const id = alertId({ ...origin, seq: event.seq, rule: rule.name }, sha256)
    const { cluster, node } = origin
    this.#waiting.push(...this.plan.contributions(rule, event, { id, cluster, node }))
    if (this.#waiting.length > 0) this.#running ??= this.#run()
  }

  /** Resolves once all that was noted is judged. */
  async settle(): Promise<void> {
    await this.#running
  }

  /** Detections of one turn are one batch. */
  async #run(): Promise<void> {
    await new Promise(setImmediate)
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        for (const firing of (await this.#runner.take(batch)).firings) this.#onFiring(firing)
      } catch (error) {
        this.#onError(error)
      }
    }
    this.#running = undefined
  }
}

/** Those correlations that the command line leaves in, as it does with rules. */
export function selectCorrelations(
  correlations: readonly LoadedCorrelation[],
  selections: readonly Selection[],
  leastPriority: Priority,
): readonly LoadedCorrelation[] {
  return correlations.filter(({ name, tags, priority }) => {
    const last = selections.findLast(({ by }) =>
      'tag' in by ? tags.includes(by.tag) : matchesPattern(name, by.rule),
    )
    return priority <= leastPriority && last?.enable !== false
  })
}
