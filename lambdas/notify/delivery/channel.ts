import type { Json, StateStore } from '#correlate'
import type { Destination } from '#routes'
import type { DeliveryMessage } from '../../shared/bus-messages.ts'
import type { DeliveryProblem } from './problem.ts'

/** How it stands with a destination, for all copies of the function. */
interface ChannelState {
  /** When the next message would be due if none came in bursts, milliseconds of the epoch. */
  readonly due: number
  /** Nothing is sent before; 0 for nothing in the way. */
  readonly until: number
  /** Failures in a row. */
  readonly failures: number
  /** What people were told is wrong with it. */
  readonly said?: DeliveryMessage['state']
}

export type Admission =
  | { readonly isAdmitted: true }
  /** `slot`: its turn is reserved then; without, it has to ask again. */
  | { readonly isAdmitted: false; readonly at: number; readonly isSlot: boolean }

/** What to tell people of, if anything: once per change. */
export type ChannelChange = DeliveryMessage['state'] | undefined

const keepSeconds = 7 * 86_400
/** Failures in a row after which a destination is left alone for a while. */
const mostFailures = 5
const second = 1000
/** Turns are given away for at most so long ahead: SQS keeps no message back for longer. */
const mostAhead = 900 * second
const attempts = 12

/**
 * The rate limit and the circuit breaker of a destination. The limit is a leaky bucket in which each
 * message gets a turn of its own, so that many that wait do not come back all at once. After failures
 * nothing is sent for a while, then one message at a time tries.
 */
export class Channel {
  readonly #store: StateStore
  readonly #destination: Destination
  readonly #key: string
  readonly #now: () => number
  readonly #random: () => number

  constructor(
    store: StateStore,
    destination: Destination,
    { now, random }: { readonly now: () => number; readonly random: () => number },
  ) {
    this.#store = store
    this.#destination = destination
    this.#key = `notify-channel/${destination.name}`
    this.#now = now
    this.#random = random
  }

  /** Whether a message may be sent now; `hasTurn` when a turn was reserved for it before. */
  async admit(hasTurn: boolean): Promise<Admission> {
    const { rate, timeoutMs } = this.#destination
    const every = rate.perMs / rate.messages
    // a burst of a second's worth, of one message at least
    const burst = Math.max(every, second)
    return this.#change<Admission>((state) => {
      const now = this.#now()
      const probes = state.failures >= mostFailures || state.until > 0
      if (state.until > now) {
        return [undefined, { isAdmitted: false, at: this.#spread(state.until), isSlot: false }]
      }
      if (hasTurn) {
        const next = probes ? { ...state, until: now + timeoutMs + second } : undefined
        return [next, { isAdmitted: true }]
      }
      const due = Math.max(state.due, now)
      const at = due + every - burst
      if (at - now > mostAhead) {
        return [undefined, { isAdmitted: false, at: now + mostAhead, isSlot: false }]
      }
      const next = { ...state, due: due + every }
      if (at > now) return [next, { isAdmitted: false, at, isSlot: true }]
      return [probes ? { ...next, until: now + timeoutMs + second } : next, { isAdmitted: true }]
    })
  }

  /** It took a message. */
  async succeeded(): Promise<ChannelChange> {
    return this.#change<ChannelChange>(({ due, until, failures, said }) => {
      if (until === 0 && failures === 0 && said === undefined) return [undefined, undefined]
      return [{ due, until: 0, failures: 0 }, said === undefined ? undefined : 'back']
    })
  }

  /** It did not. */
  async failed({ kind, waitMs }: DeliveryProblem): Promise<ChannelChange> {
    return this.#change<ChannelChange>((state) => {
      const now = this.#now()
      if (kind === 'rejected') return [undefined, undefined]
      if (kind === 'later') {
        return [
          { ...state, until: Math.max(state.until, now + (waitMs ?? 30 * second)) },
          undefined,
        ]
      }
      const failures = state.failures + 1
      const isLasting = kind === 'refused' || kind === 'gone'
      const isOpen = isLasting || failures >= mostFailures
      const pause = isLasting
        ? 300 * second
        : isOpen
          ? Math.min(300, 15 * 2 ** Math.min(10, failures - mostFailures)) * second
          : 0
      const until = isOpen || waitMs !== undefined ? now + Math.max(pause, waitMs ?? 0) : 0
      const what = isLasting ? kind : isOpen ? 'failing' : undefined
      const said = what ?? state.said
      const next = { due: state.due, until, failures, ...(said !== undefined && { said }) }
      return [next, what !== undefined && what !== state.said ? what : undefined]
    })
  }

  /** Waiting messages do not all come at the same instant. */
  #spread(at: number): number {
    return at + Math.floor(this.#random() * 2 * second)
  }

  async #change<T>(
    step: (state: ChannelState) => readonly [next: ChannelState | undefined, answer: T],
  ): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      const seconds = Math.floor(this.#now() / 1000)
      const item = (await this.#store.read([this.#key], seconds)).get(this.#key)
      const state = (item?.value as unknown as ChannelState | undefined) ?? fresh
      const [next, answer] = step(state)
      if (next === undefined) return answer
      const value = next as unknown as Json
      const write = { key: this.#key, value, from: item?.version ?? 0 }
      const refused = await this.#store.write([{ ...write, expires: seconds + keepSeconds }])
      if (refused.length === 0) return answer
      if (attempt >= attempts) throw new Error(`${this.#key} is changed by too many at once`)
      await new Promise((resolve) => setTimeout(resolve, this.#random() * 20 * (attempt + 1)))
    }
  }
}

const fresh: ChannelState = { due: 0, until: 0, failures: 0 }
