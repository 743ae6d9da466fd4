import { detailTypes, type IncidentMessage } from '../../shared/bus-messages.ts'
import { isAnswered, newResponses } from './begin.ts'
import { type Decision, decideApproval, decideRelease, whyNotDecide } from './decide.ts'
import { findPod } from './find-pod.ts'
import { noteResponses } from './incident-lines.ts'
import { changed, sayOpenLines } from './lines.ts'
import { nextChange } from './phases.ts'
import { NotInForce, type Ports } from './ports.ts'
import type { Change, ResponseState } from './response-state.ts'
import { type Held, leaseSeconds, Overtaken, ResponseTable } from './response-table.ts'

const mostChanges = 300
/** Errors in a row until it is given up: about 20 minutes; of undoing, an hour and a half. */
const mostErrors = 10
const mostUndoErrors = 20
/** Processes that may die over it in a row until it is given up: about 15 minutes; of undoing, an hour. */
const mostDeaths = 5
const mostUndoDeaths = 20
const decisionAttempts = 5
/** After so long a sweep begins nothing more: what it has begun is to end before the function has to. */
const sweepMs = 40_000

/** Leads responses from incident to end, step by step; may be interrupted anywhere, and goes on. */
export class Responder {
  readonly #ports: Ports
  readonly #table: ResponseTable

  constructor(ports: Ports) {
    this.#ports = ports
    this.#table = new ResponseTable(ports)
  }

  /** Begins what the policy answers an incident with, once each, and leads it as far as it goes now. */
  async onIncident(message: IncidentMessage): Promise<readonly string[]> {
    const policy = await this.#ports.policy()
    if (!isAnswered(message, policy)) return []
    const found = await findPod(message.incident, this.#ports)
    const states = newResponses(message, policy, this.#ports.now(), found)
    const ids = states.map(({ id }) => id)
    await noteResponses(message.incident.id, ids, this.#ports)
    for (const state of states) {
      // whoever was first leads it; when that one died, the sweep goes on
      await unlessOvertaken(async () => {
        await this.#table.write(state, 0)
        await this.advance(state.id)
      })
    }
    return ids
  }

  async read(id: string): Promise<ResponseState | undefined> {
    return (await this.#table.read(id))?.state
  }

  /** Leads responses whose time has come, as many as there is time for; gives how many. */
  async sweep(limit = 100): Promise<number> {
    const ids = await this.#table.due(limit)
    let failed: unknown
    let swept = 0
    const until = performance.now() + sweepMs
    for (const id of ids) {
      if (performance.now() > until) break
      swept += 1
      try {
        await this.advance(id)
      } catch (error) {
        failed = error // the others must not wait for it
      }
    }
    if (failed !== undefined) throw failed
    return swept
  }

  /** Why somebody may not decide about responses; `undefined` when they may. */
  mayDecide(by: string): string | undefined {
    return whyNotDecide(this.#ports.approvers, by)
  }

  /** Approves a plan as somebody who is known for sure; gives why not, if so. */
  async approve(id: string, planHash: string, by: string): Promise<string | undefined> {
    return this.#decide(id, by, (state, now) => decideApproval(state, planHash, by, now))
  }

  /** Undoes what is still ours, now; gives why not, if so. */
  async release(id: string, by: string): Promise<string | undefined> {
    return this.#decide(id, by, (state, now) => decideRelease(state, by, now))
  }

  async #decide(
    id: string,
    by: string,
    decide: (state: ResponseState, now: number) => Decision,
  ): Promise<string | undefined> {
    const stranger = this.mayDecide(by)
    for (let attempt = 0; attempt < decisionAttempts; attempt++) {
      const held = await this.#table.read(id)
      if (held === undefined) return `there is no response ${id}`
      if (stranger !== undefined) return stranger
      const now = this.#ports.now()
      const decision = decide(held.state, now)
      if (decision === 'settled') return undefined
      if ('problem' in decision) return decision.problem
      const isWritten = await unlessOvertaken(async () => {
        await this.#table.write(changed(held.state, decision, now), held.version)
      })
      if (isWritten) {
        await this.advance(id)
        return undefined
      }
    }
    return 'others change the response at the same time: try again'
  }

  /** Leads a response until it has to wait. Does nothing while somebody else leads it. */
  async advance(id: string): Promise<void> {
    await unlessOvertaken(() => this.#advance(id))
  }

  async #advance(id: string): Promise<void> {
    const { now, token } = this.#ports
    let held = await this.#table.read(id)
    if (held === undefined) return
    const { lease } = held.state
    if (lease !== undefined && lease.until > now()) return
    const { phase, said, lines } = held.state
    if (phase === 'closed' && said === lines.length) return
    const holder = token()
    const renewed = () => ({ holder, until: now() + leaseSeconds })
    const deaths = held.state.begun ?? 0
    const begun = { ...held.state, begun: deaths + 1 }
    held = await this.#table.write({ ...begun, lease: renewed() }, held.version)
    for (let changes = 0; changes < mostChanges; changes++) {
      await this.#say(held)
      const before: ResponseState = { ...held.state, said: held.state.lines.length }
      const triesBefore = before.tries
      const change = changes === 0 ? await this.#first(before, deaths) : await this.#next(before)
      if (change === undefined) {
        held = { ...held, state: before }
        break
      }
      const set = { errors: 0, begun: 1, ...change.set }
      const next = changed(before, { ...change, set }, now())
      held = await this.#table.write({ ...next, lease: renewed() }, held.version)
      if (next.tries > triesBefore || next.errors > 0) break
    }
    const { lease: _, begun: __, ...free } = held.state
    await this.#table.write(free, held.version)
  }

  /** What cannot be said yet is nobody's death. */
  async #say({ state, version }: Held): Promise<void> {
    try {
      await sayOpenLines(state, this.#ports.say)
    } catch (error) {
      const { begun: _, ...rest } = state
      await this.#table.write(rest, version).catch(() => {})
      throw error
    }
  }

  async #first(state: ResponseState, deaths: number): Promise<Change | undefined> {
    const most = state.phase === 'expiring' ? mostUndoDeaths : mostDeaths
    if (deaths < most) return this.#next(state)
    return giveUp(state, `given up: ${deaths} attempts came to no end`)
  }

  /** What is wrong around it is tried again a while, and then said. */
  async #next(state: ResponseState): Promise<Change | undefined> {
    try {
      return await nextChange(state, this.#ports)
    } catch (error) {
      const reason = (error as Error).message
      // a mistake in a file ends no response: it waits until that is mended
      if (error instanceof NotInForce) {
        return { set: { errors: Math.max(1, state.errors), problem: reason.slice(0, 1000) } }
      }
      const errors = state.errors + 1
      const most = state.phase === 'expiring' ? mostUndoErrors : mostErrors
      if (errors < most) return { set: { errors, problem: reason.slice(0, 1000) } }
      return giveUp(state, `given up after ${errors} attempts: ${reason}`)
    }
  }
}

/** Where a response ends up that cannot go on. What holds, holds until its time is over. */
function giveUp({ phase, acted }: ResponseState, text: string): Change {
  if (phase === 'verifying') {
    const next = 'find out why nothing could be read there: nobody knows what the pod does'
    const say = [{ type: detailTypes.verified, text: `unverified: ${text}; next: ${next}` }]
    return { set: { phase: 'holding', outcome: 'unverified', next }, say }
  }
  const say = [{ type: detailTypes.failed, text }]
  // what was begun is undone; what cannot be undone either is left to people
  if (phase === 'expiring' || acted === undefined) {
    return { set: { phase: 'closed', ending: 'failed' }, say }
  }
  return { set: { phase: 'expiring', ending: 'failed' }, say }
}

/** Whether it went through; somebody else who was faster is no error. */
async function unlessOvertaken(run: () => Promise<void>): Promise<boolean> {
  try {
    await run()
    return true
  } catch (error) {
    if (error instanceof Overtaken) return false
    throw error
  }
}
