import { priorityNames, type Rule } from '#engine'

export interface ShipLimitOptions {
  /** Events that may be shipped in a second; rules are held back one after the other above it. */
  readonly perSecond: number
  /** Told which rule is held back or let go again, for people. */
  readonly announce: (text: string) => void
}

export interface ShipLimitFigures {
  /** Names of the rules that are held back now. */
  readonly heldBack: readonly string[]
  /** Events that were not shipped because of it. */
  readonly dropped: number
}

interface HeldBack {
  readonly rule: Rule
  readonly since: bigint
  /** Events in the last whole second. */
  rate: number
  dropped: number
}

const second = 1_000_000_000n
/** A rule is held back at least this long: letting go and holding back in turn would say nothing. */
const leastHold = 30n * second

/**
 * Keeps a node from shipping more than its share. Above the limit the least severe rule is held back
 * first, of several the one with most events; one of its events a second still goes out, so that it
 * never looks silent. Nothing more than twice the limit goes out in any second.
 */
export class ShipLimit {
  readonly #options: ShipLimitOptions
  readonly #held = new Map<string, HeldBack>()
  /** Events of each rule in this second. */
  readonly #offered = new Map<Rule, number>()
  readonly #sampled = new Set<string>()
  #slot = -1n
  #admitted = 0
  #dropped = 0

  constructor(options: ShipLimitOptions) {
    this.#options = options
  }

  get figures(): ShipLimitFigures {
    return { heldBack: [...this.#held.keys()], dropped: this.#dropped }
  }

  /** Whether an event that these rules may match is to be shipped. `now` never steps back. */
  admit(rules: readonly Rule[], now: bigint): boolean {
    if (now / second !== this.#slot) this.#nextSecond(now)
    for (const rule of rules) this.#offered.set(rule, (this.#offered.get(rule) ?? 0) + 1)
    const { perSecond } = this.#options
    const isHeldBack = () => rules.every(({ name }) => this.#held.has(name))
    if (this.#admitted >= perSecond && !isHeldBack()) this.#holdBackWorst(now)
    const isHeld = isHeldBack()
    if (this.#admitted >= 2 * perSecond || (isHeld && !this.#isSample(rules))) {
      this.#drop(rules)
      return false
    }
    this.#admitted += 1
    return true
  }

  /** The first event of a rule in a second. */
  #isSample(rules: readonly Rule[]): boolean {
    const fresh = rules.filter(({ name }) => !this.#sampled.has(name))
    for (const { name } of fresh) this.#sampled.add(name)
    return fresh.length > 0
  }

  #drop(rules: readonly Rule[]): void {
    this.#dropped += 1
    for (const { name } of rules) {
      const held = this.#held.get(name)
      if (held !== undefined) held.dropped += 1
    }
  }

  #holdBackWorst(now: bigint): void {
    const [worst] = [...this.#offered]
      .filter(([{ name }]) => !this.#held.has(name))
      .sort(([a, many], [b, few]) => b.priority - a.priority || few - many)
    if (worst === undefined) return
    const [rule, rate] = worst
    this.#held.set(rule.name, { rule, since: now, rate, dropped: 0 })
    this.#options.announce(
      `more than ${this.#options.perSecond} events a second match: holding back "${rule.name}" (${priorityNames[rule.priority]}, ${rate} in this second)`,
    )
  }

  #nextSecond(now: bigint): void {
    const isNext = now / second === this.#slot + 1n
    for (const held of this.#held.values()) {
      held.rate = isNext ? (this.#offered.get(held.rule) ?? 0) : 0
    }
    let rate = isNext ? this.#admitted : 0
    this.#slot = now / second
    this.#admitted = 0
    this.#offered.clear()
    this.#sampled.clear()
    // the most severe first, as long as there is room for what it brought last
    const severest = [...this.#held].sort(([, a], [, b]) => a.rule.priority - b.rule.priority)
    for (const [name, held] of severest) {
      if (now - held.since < leastHold || rate + held.rate > this.#options.perSecond) continue
      rate += held.rate
      this.#held.delete(name)
      this.#options.announce(`"${name}" is shipped again; ${held.dropped} of its events were not`)
    }
  }
}
