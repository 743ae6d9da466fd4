import type { StateStore } from '#correlate'
import type { Destination } from '#routes'
import type { DeliveryMessage } from '../../shared/bus-messages.ts'
import type { DeliveryEnvelope } from '../../shared/delivery-envelope.ts'
import { type Told as Message, toldBy } from '../../shared/route-subject.ts'
import type { Notice } from '../content/index.ts'
import { Channel, type ChannelChange } from './channel.ts'
import { failed, type Item, isUnsure, itemOf, leased, shown, waiting, whyNot } from './item.ts'
import { Ledger, type LedgerEntry, type Told } from './ledger.ts'
import { DeliveryProblem } from './problem.ts'
import type { Before, Sender, Telling } from './sender.ts'

export interface DeliverPorts {
  readonly store: StateStore
  /** The destination of that name with its sender; `undefined` when the routes have none. */
  readonly destinationOf: (name: string) => Promise<OpenDestination | undefined>
  readonly noticeOf: (message: Message) => Promise<Notice>
  /** Puts it into the queue again, to come back after so many milliseconds. */
  readonly later: (envelope: DeliveryEnvelope, afterMs: number) => Promise<void>
  /** Keeps what is given up, with the reason, until somebody puts it into the queue again. */
  readonly bury: (envelope: DeliveryEnvelope, reason: string) => Promise<void>
  /** Tells people of a destination that fails or is back. */
  readonly announce: (message: DeliveryMessage) => Promise<void>
  readonly count: (figure: DeliveryFigure, destination: string) => void
  /** Milliseconds of the epoch. */
  readonly now: () => number
  readonly random: () => number
  readonly sleep: (milliseconds: number) => Promise<void>
  /** A text that nobody else makes. */
  readonly token: () => string
}

export interface OpenDestination {
  readonly destination: Destination
  /** Rejects with a `DeliveryProblem` when its secret cannot be used. */
  readonly sender: () => Promise<Sender>
  /** Reads the secret anew; whether it is another one now. */
  readonly renew: () => Promise<boolean>
}

/** What became of a message. `Delivered` counts messages that people see. */
export type DeliveryFigure =
  | 'Delivered'
  | 'Repeated'
  | 'Duplicate'
  | 'Superseded'
  | 'Deferred'
  | 'Failed'
  | 'Refused'
  | 'Gone'
  | 'Rejected'
  | 'GivenUp'

const second = 1000
const longestPause = 600 * second
/** A turn or a lease that comes so soon is waited for. */
const shortWait = 1500
const closeAttempts = 8

/**
 * Brings messages to destinations: each revision of a subject at most once, the newest one in the end.
 * A message that cannot be told now goes back into the queue by itself, so that an outage of the
 * destination does not count as a fault of the message; it is given up after the destination's time.
 */
export class Deliver {
  readonly #ports: DeliverPorts
  readonly #ledger: Ledger

  constructor(ports: DeliverPorts) {
    this.#ports = ports
    this.#ledger = new Ledger(ports.store, ports.now)
  }

  /** Rejects only when state or queue do not take what is to be kept: then the message comes again. */
  async deliver(envelope: DeliveryEnvelope): Promise<void> {
    const { now, bury, count, destinationOf } = this.#ports
    if (envelope.notBefore !== undefined && envelope.notBefore > now() + shortWait) {
      return this.#defer(envelope, envelope.notBefore)
    }
    const message = toldBy(envelope.detailType, envelope.detail)
    if (message === undefined) {
      count('Rejected', envelope.destination)
      return bury(envelope, `nobody is told of "${envelope.detailType}"`)
    }
    const open = await destinationOf(envelope.destination)
    if (open === undefined) {
      count('Gone', envelope.destination)
      return bury(envelope, `the routes have no destination "${envelope.destination}"`)
    }
    await new Attempt(this.#ports, this.#ledger, envelope, message, open).run()
  }

  #defer(envelope: DeliveryEnvelope, at: number): Promise<void> {
    return this.#ports.later(envelope, at - this.#ports.now())
  }
}

/** One envelope on its way to its destination. */
class Attempt {
  readonly #ports: DeliverPorts
  readonly #ledger: Ledger
  readonly #envelope: DeliveryEnvelope
  readonly #message: Message
  readonly #open: OpenDestination
  readonly #channel: Channel
  readonly #item: Item

  constructor(
    ports: DeliverPorts,
    ledger: Ledger,
    envelope: DeliveryEnvelope,
    message: Message,
    open: OpenDestination,
  ) {
    this.#ports = ports
    this.#ledger = ledger
    this.#envelope = envelope
    this.#message = message
    this.#open = open
    this.#channel = new Channel(ports.store, open.destination, ports)
    this.#item = itemOf(message, envelope.timer)
  }

  async run(): Promise<void> {
    for (;;) {
      const entry = await this.#ledger.read(this.#open.destination.name, this.#item.subject)
      const skipped = whyNot(this.#item, entry.told, this.#ports.now())
      if (skipped !== undefined) return this.#count(skipped)
      const { lease } = entry.told
      if (lease !== undefined && lease.until > this.#ports.now()) {
        // somebody is telling something else of it right now
        return this.#wait(entry, Math.min(lease.until, this.#ports.now() + 2 * second))
      }
      const admission = await this.#channel.admit(this.#envelope.hasTurn === true)
      if (!admission.isAdmitted) {
        const waitMs = admission.at - this.#ports.now()
        if (!admission.isSlot || waitMs > shortWait) {
          return this.#wait(entry, admission.at, admission.isSlot)
        }
        await this.#ports.sleep(waitMs)
      }
      const leased = await this.#lease(entry)
      if (leased !== undefined) return this.#tell(leased)
    }
  }

  /** Back into the queue; what is older than this need not wait any more. */
  async #wait(entry: LedgerEntry, at: number, hasTurn = false): Promise<void> {
    const { now, later } = this.#ports
    if (now() - this.#envelope.since > this.#open.destination.giveUpMs) {
      return this.#giveUp('it could not be told in time')
    }
    const newest = waiting(this.#item, entry.told)
    // somebody else's write tells as much or more; the message itself comes again in any case
    if (newest !== undefined) await this.#ledger.write(entry, newest)
    this.#count('Deferred')
    const { hasTurn: _, ...rest } = this.#envelope
    await later({ ...rest, notBefore: at, ...(hasTurn && { hasTurn }) }, at - now())
  }

  #lease(entry: LedgerEntry): Promise<LedgerEntry | undefined> {
    const until = this.#ports.now() + 4 * this.#open.destination.timeoutMs + 5 * second
    const lease = { holder: this.#ports.token(), until }
    return this.#ledger.write(entry, leased(this.#item, entry.told, lease))
  }

  async #tell(entry: LedgerEntry): Promise<void> {
    const { told } = entry
    const before: Before = {
      ref: told.ref,
      shown: told.shown === 0 ? 'nothing' : told.state,
      isUnsure: isUnsure(this.#item, told),
      isAgain: this.#envelope.timer !== undefined,
    }
    const notice = await this.#ports.noticeOf(this.#message)
    let telling: Telling
    try {
      telling = await this.#send(notice, before)
    } catch (error) {
      return this.#failed(entry, problemOf(error))
    }
    await this.#succeeded(entry, notice, telling)
  }

  /** With a secret that was rotated in the meantime, a second time at once. */
  async #send(notice: Notice, before: Before): Promise<Telling> {
    try {
      return await (await this.#open.sender()).tell(notice, before)
    } catch (error) {
      const isRefused = error instanceof DeliveryProblem && error.kind === 'refused'
      if (!isRefused || !(await this.#open.renew())) throw error
      return (await this.#open.sender()).tell(notice, before)
    }
  }

  async #succeeded(entry: LedgerEntry, notice: Notice, telling: Telling): Promise<void> {
    const { told } = entry
    const { againMs, ref } = telling
    const isRevision = this.#item.kind === 'revision'
    const repeats = isRevision && againMs !== undefined && notice.state === 'open'
    const timer = repeats ? told.timer + 1 : told.timer
    const next = shown(this.#item, told, { state: notice.state, ref, timer })
    if (repeats) {
      // before it is written down: a timer too many is void, one too few lets an alert end too early
      const since = this.#ports.now()
      const { hasTurn: _turn, ...rest } = this.#envelope
      const again = { ...rest, since, attempt: 0, timer, notBefore: since + againMs }
      await this.#ports.later(again, againMs)
    }
    await this.#close(entry, next)
    this.#count(this.#envelope.timer === undefined ? 'Delivered' : 'Repeated')
    await this.#announce(await this.#channel.succeeded(), 'it takes messages again')
  }

  async #failed(entry: LedgerEntry, problem: DeliveryProblem): Promise<void> {
    const { kind, message, waitMs } = problem
    await this.#close(entry, failed(this.#item, entry.told, problem.isUnsure))
    await this.#announce(await this.#channel.failed(problem), message)
    if (kind === 'rejected') {
      this.#count('Rejected')
      return this.#giveUp(message)
    }
    if (kind !== 'later') this.#count(figureOf[kind])
    const { now, random, later } = this.#ports
    const { since, attempt } = this.#envelope
    if (now() - since > this.#open.destination.giveUpMs) return this.#giveUp(message)
    const growing = Math.min(longestPause, second * 2 ** Math.min(10, attempt))
    const pause = Math.max(waitMs ?? 0, growing * (0.5 + random() / 2))
    this.#count('Deferred')
    const { hasTurn: _turn, ...rest } = this.#envelope
    await later({ ...rest, attempt: attempt + 1, notBefore: now() + pause }, pause)
  }

  /** Writes what came of a lease. Whoever took it over, because it lasted too long, knows better. */
  async #close(entry: LedgerEntry, told: Told): Promise<void> {
    const { name } = this.#open.destination
    let next = told
    for (let at = entry, attempt = 0; attempt < closeAttempts; attempt += 1) {
      if ((await this.#ledger.write(at, next)) !== undefined) return
      at = await this.#ledger.read(name, this.#item.subject)
      if (at.told.lease?.holder !== entry.told.lease?.holder) return
      // only `newest` can have grown, by those that wait
      next = { ...told, newest: Math.max(told.newest, at.told.newest) }
    }
    throw new Error(`the ledger of ${name} changes too fast`)
  }

  async #giveUp(reason: string): Promise<void> {
    this.#count('GivenUp')
    await this.#ports.bury(this.#envelope, reason)
  }

  async #announce(state: ChannelChange, text: string): Promise<void> {
    if (state === undefined) return
    const { name, kind } = this.#open.destination
    const time = new Date(this.#ports.now()).toISOString()
    const id = `${name}-${state}-${time}`
    await this.#ports.announce({ id, destination: name, kind, state, text, time })
  }

  #count(figure: DeliveryFigure): void {
    this.#ports.count(figure, this.#open.destination.name)
  }
}

const figureOf = { failed: 'Failed', refused: 'Refused', gone: 'Gone' } as const

/** What is no `DeliveryProblem` is a mistake of ours: it is tried again like a failure, and shows up there. */
function problemOf(error: unknown): DeliveryProblem {
  if (error instanceof DeliveryProblem) return error
  const { name, message } = error as Error
  return new DeliveryProblem('failed', `${name}: ${message}`, { isUnsure: true, cause: error })
}
