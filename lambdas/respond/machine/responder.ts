import { createHash } from 'node:crypto'
import type { Json } from '#correlate'
import { fits, lower, type Mode, modeOf, type ResponseRule, responsesTo } from '#responses'
import {
  detailTypes,
  type IncidentMessage,
  type ResponseMessage,
} from '../../shared/bus-messages.ts'
import { itemKey } from '../../shared/state-key.ts'
import { lateSeconds, nextChange } from './phases.ts'
import type { Ports } from './ports.ts'
import { type Change, type Line, type ResponseState, stepTexts } from './response-state.ts'

const leaseSeconds = 60
const keptSeconds = 90 * 86_400
const mostChanges = 300
const retrySeconds = 300
const mostErrors = 10

interface Held {
  readonly state: ResponseState
  readonly version: number
}

/** Somebody else has the response. */
class Overtaken extends Error {
  override readonly name = 'Overtaken'
}

/** Leads responses from incident to end, step by step; may be interrupted anywhere, and goes on. */
export class Responder {
  readonly #ports: Ports

  constructor(ports: Ports) {
    this.#ports = ports
  }

  /** Begins what the policy answers an incident with, once each, and leads it as far as it goes now. */
  async onIncident({ incident, detection }: IncidentMessage): Promise<readonly string[]> {
    if (detection === undefined || incident.suppressed !== undefined) return []
    const { pod } = incident
    if (pod?.uid === undefined || incident.state === 'closed') return []
    const policy = await this.#ports.policy()
    const ids: string[] = []
    for (const rule of responsesTo(policy, detection)) {
      const wanted = modeOf(policy, rule, incident.cluster, pod.namespace)
      if (wanted === 'off') continue
      const isSure = incident.sender === 'verified'
      const mode: Mode = isSure ? wanted : lower(wanted, 'observe')
      const lowered = 'it is not proven which node tells of it'
      const id = responseId(incident.cluster, incident.id, rule.name, pod.uid)
      const state: ResponseState = {
        ...{ id, incident: incident.id, incidentTitle: incident.title, cluster: incident.cluster },
        node: incident.node,
        target: { namespace: pod.namespace, name: pod.name, uid: pod.uid },
        ...{ rule, mode, made: this.#ports.now(), phase: 'new', plans: 0 },
        ...(mode !== wanted && { lowered }),
        ...{ steps: [], back: [], tries: 0, errors: 0, lines: [], said: 0 },
      }
      const taken = await this.#ports.store.write([this.#writeOf(state, 0)])
      ids.push(id)
      // whoever was first leads it; when that one died, the sweep goes on
      if (taken.length === 0) await this.advance(id)
    }
    return ids
  }

  async read(id: string): Promise<ResponseState | undefined> {
    return (await this.#read(id))?.state
  }

  /** Leads all responses whose time has come; gives how many. */
  async sweep(limit = 100): Promise<number> {
    const keys = await this.#ports.store.due(this.#ports.now(), limit)
    const ids = keys.flatMap((key) => (key.startsWith('response/') ? [key.slice(9)] : []))
    let failed: unknown
    for (const id of ids) {
      try {
        await this.advance(id)
      } catch (error) {
        failed = error // the others must not wait for it
      }
    }
    if (failed !== undefined) throw failed
    return ids.length
  }

  /** Why somebody may not decide about responses; `undefined` when they may. */
  mayDecide(by: string): string | undefined {
    const { approvers } = this.#ports
    return approvers.length > 0 && fits(approvers, by) ? undefined : `${by} may not decide this`
  }

  /** Approves a plan as somebody who is known for sure; gives why not, if so. */
  async approve(id: string, planHash: string, by: string): Promise<string | undefined> {
    const { now } = this.#ports
    for (let attempt = 0; attempt < 5; attempt++) {
      const held = await this.#read(id)
      if (held === undefined) return `there is no response ${id}`
      const { state } = held
      const stranger = this.mayDecide(by)
      if (stranger !== undefined) return stranger
      if (state.phase !== 'awaiting') {
        const { approval } = state
        const mine = approval?.by === by && approval.planHash === planHash
        return mine ? undefined : `the response does not wait for approval: it is ${state.phase}`
      }
      if (state.planHash !== planHash) return 'the plan is not the one that waits: read it again'
      if (now() > (state.approveBy ?? 0)) return 'the time to approve it is over'
      const approval = { by, at: now(), planHash }
      const say = [{ type: detailTypes.approved, text: `approved by ${by}` }]
      const next = this.#changed(state, { set: { phase: 'approved', approval }, say })
      const conflicts = await this.#ports.store.write([this.#writeOf(next, held.version)])
      if (conflicts.length === 0) {
        await this.advance(id)
        return undefined
      }
    }
    return 'others change the response at the same time: try again'
  }

  /** Undoes what is still ours, now; gives why not, if so. */
  async release(id: string, by: string): Promise<string | undefined> {
    const held = await this.#read(id)
    if (held === undefined) return `there is no response ${id}`
    const { now } = this.#ports
    const stranger = this.mayDecide(by)
    if (stranger !== undefined) return stranger
    const { phase } = held.state
    if (phase !== 'holding' && phase !== 'verifying')
      return `there is nothing to undo: it is ${phase}`
    const say = [{ type: detailTypes.expired, text: `let go by ${by}` }]
    const next = this.#changed(held.state, { set: { phase: 'expiring', expiresAt: now() }, say })
    const conflicts = await this.#ports.store.write([this.#writeOf(next, held.version)])
    if (conflicts.length > 0) return 'others change the response at the same time: try again'
    await this.advance(id)
    return undefined
  }

  /** Leads a response until it has to wait. Does nothing while somebody else leads it. */
  async advance(id: string): Promise<void> {
    try {
      await this.#advance(id)
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error
    }
  }

  async #advance(id: string): Promise<void> {
    const { now, token } = this.#ports
    let held = await this.#read(id)
    if (held === undefined) return
    const { lease } = held.state
    if (lease !== undefined && lease.until > now()) return
    const { phase, said, lines } = held.state
    if (phase === 'closed' && said === lines.length) return
    const holder = token()
    const renewed = () => ({ holder, until: now() + leaseSeconds })
    held = await this.#write({ ...held.state, lease: renewed() }, held.version)
    for (let changes = 0; changes < mostChanges; changes++) {
      await this.#say(held.state)
      const before: ResponseState = { ...held.state, said: held.state.lines.length }
      const triesBefore = before.tries
      const change = await this.#next(before)
      if (change === undefined) {
        held = { ...held, state: before }
        break
      }
      const next = this.#changed(before, { ...change, set: { errors: 0, ...change.set } })
      held = await this.#write({ ...next, lease: renewed() }, held.version)
      if (next.tries > triesBefore || next.errors > 0) break
    }
    const { lease: _, ...free } = held.state
    await this.#write(free, held.version)
  }

  /** What is wrong around it is tried again a while, and then said. */
  async #next(state: ResponseState): Promise<Change | undefined> {
    try {
      return await nextChange(state, this.#ports)
    } catch (error) {
      const reason = (error as Error).message
      const errors = state.errors + 1
      if (errors < mostErrors) return { set: { errors, problem: reason.slice(0, 1000) } }
      const text = `given up after ${errors} attempts: ${reason}`
      const say = [{ type: detailTypes.failed, text }]
      // what was begun is undone; what cannot be undone either is left to people
      const isBegun = state.phase !== 'expiring' && state.acted !== undefined
      if (isBegun) return { set: { phase: 'expiring', ending: 'failed' }, say }
      return { set: { phase: 'closed', ending: 'failed' }, say }
    }
  }

  #changed(state: ResponseState, { set, say = [] }: Change): ResponseState {
    const next = { ...state, ...set }
    const lines = say.map(
      ({ type, text }): Line => ({
        at: this.#ports.now(),
        type,
        phase: next.phase,
        text: text.slice(0, 4000),
      }),
    )
    return { ...next, lines: [...state.lines, ...lines] }
  }

  async #read(id: string): Promise<Held | undefined> {
    const key = itemKey('response', id)
    const item = (await this.#ports.store.read([key], this.#ports.now())).get(key)
    if (item === undefined) return undefined
    return { state: item.value as unknown as ResponseState, version: item.version }
  }

  async #write(state: ResponseState, version: number): Promise<Held> {
    const conflicts = await this.#ports.store.write([this.#writeOf(state, version)])
    if (conflicts.length > 0) throw new Overtaken(state.id)
    return { state, version: version + 1 }
  }

  #writeOf(state: ResponseState, from: number) {
    const due = this.#dueOf(state)
    return {
      key: itemKey('response', state.id),
      value: state as unknown as Json,
      from,
      expires: this.#ports.now() + keptSeconds,
      ...(due !== undefined && { due }),
    }
  }

  /** When somebody has to look at it again. */
  #dueOf({
    phase,
    lease,
    lines,
    said,
    tries,
    errors,
    ...state
  }: ResponseState): number | undefined {
    const now = this.#ports.now()
    if (lease !== undefined) return lease.until + 1
    if (said < lines.length) return now
    if (errors > 0) return now + 30 * errors
    switch (phase) {
      case 'closed':
        return undefined
      case 'awaiting':
        return (state.approveBy ?? now) + 1
      case 'verifying':
        return Math.ceil(state.expectation!.until / 1000 + lateSeconds)
      case 'holding':
        return state.expiresAt ?? now
      default:
        return tries > 0 ? now + retrySeconds : now + leaseSeconds
    }
  }

  /** Says what is not said yet; said twice after an interruption, it has the same ids. */
  async #say(state: ResponseState): Promise<void> {
    const open = state.lines.slice(state.said)
    if (open.length === 0) return
    await this.#ports.say(
      open.map((line, i) => {
        return {
          type: line.type,
          detail: messageOf(state, line, state.said + i),
          time: isoOf(line.at),
        }
      }),
    )
  }
}

function messageOf(state: ResponseState, line: Line, n: number): ResponseMessage {
  const { id, incident, cluster, rule, mode, target, plan, planHash, outcome, next, evidence } =
    state
  const asks = line.type === detailTypes.planned && state.phase === 'awaiting' && plan !== undefined
  return {
    id: `${id}-${n}`,
    response: id,
    ...{ incident, cluster, rule: rule.name, mode, phase: line.phase, target },
    ...{ text: line.text, time: isoOf(line.at) },
    ...(asks && {
      approve: { planHash: planHash!, until: isoOf(state.approveBy!), does: stepTexts(plan) },
    }),
    ...(outcome !== undefined && { outcome }),
    ...(next !== undefined && { next }),
    ...(evidence !== undefined && { evidence }),
  }
}

function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}

/** The same for the same incident, rule and pod, whoever asks and how often. */
export function responseId(
  cluster: string,
  incident: string,
  rule: ResponseRule['name'],
  uid: string,
): string {
  const text = JSON.stringify([cluster, incident, rule, uid])
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
