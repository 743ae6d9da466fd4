import type { Told as Message } from '../../shared/route-subject.ts'
import { identityOf } from '../content/index.ts'
import { type Lease, mostLines, type Told } from './ledger.ts'

/** What is to be told, as the ledger counts it. */
export type Item =
  /** A revision of a subject: the newest takes the place of those before. `timer`: it says it again. */
  | {
      readonly kind: 'revision'
      readonly subject: string
      readonly revision: number
      readonly timer: number | undefined
    }
  /** What a response did: one line in the thread of its incident, in the place of none. */
  | {
      readonly kind: 'line'
      readonly subject: string
      readonly revision: number
      readonly line: string
      /** Milliseconds of the epoch after which nobody can do what it asks for. */
      readonly until: number
    }

export function itemOf(message: Message, timer: number | undefined): Item {
  const { subject, revision } = identityOf(message)
  if (message.about !== 'response') return { kind: 'revision', subject, revision, timer }
  const { id: line, approve } = message.message
  const until = approve === undefined ? Number.NaN : Date.parse(approve.until)
  return { kind: 'line', subject, revision, line, until }
}

/** Why it need not be told; `undefined` when it must be. */
export function whyNot(
  item: Item,
  told: Told,
  now: number,
): 'Duplicate' | 'Superseded' | undefined {
  if (item.kind === 'line') {
    if (told.lines?.includes(item.line) === true) return 'Duplicate'
    return item.until < now ? 'Superseded' : undefined
  }
  const { revision, timer } = item
  if (timer !== undefined) {
    const isCurrent = told.timer === timer && told.shown === revision
    return isCurrent && told.newest === told.shown && told.state === 'open'
      ? undefined
      : 'Superseded'
  }
  if (revision === told.shown) return 'Duplicate'
  return revision < told.newest ? 'Superseded' : undefined
}

/** That it waits: what is older need not. `undefined` when that changes nothing. */
export function waiting(item: Item, told: Told): Told | undefined {
  if (item.kind === 'line' || told.newest >= item.revision) return undefined
  return { ...told, newest: item.revision }
}

/** That somebody tells it. A lease that nobody gave back is of somebody who broke off. */
export function leased(item: Item, told: Told, lease: Pick<Lease, 'holder' | 'until'>): Told {
  const left = told.lease === undefined ? told : doubtful(told, told.lease)
  const { revision } = item
  if (item.kind === 'line') return { ...left, lease: { ...lease, revision, line: item.line } }
  const newest = Math.max(told.newest, revision)
  return { ...left, newest, lease: { ...lease, revision } }
}

/** Whether it may have been taken by an attempt before, or an attempt has made the place it belongs to. */
export function isUnsure(item: Item, { unsure, unsureLines = [], ref }: Told): boolean {
  if (ref === null && (unsure !== undefined || unsureLines.length > 0)) return true
  return item.kind === 'revision' ? unsure !== undefined : unsureLines.includes(item.line)
}

/** That it is shown. `timer`: the number of what says it again. */
export function shown(
  item: Item,
  { lease: _, ...told }: Told,
  { state, ref, timer }: Pick<Told, 'state' | 'ref' | 'timer'>,
): Told {
  if (item.kind === 'line') {
    const lines = [...(told.lines ?? []), item.line].slice(-mostLines)
    const unsureLines = (told.unsureLines ?? []).filter((line) => line !== item.line)
    return { ...told, ref, lines, unsureLines }
  }
  const { unsure: __, ...rest } = told
  return { ...rest, shown: Math.max(told.shown, item.revision), state, ref, timer }
}

/** That it is not, or that nobody knows. */
export function failed(item: Item, { lease: _, ...told }: Told, isTaken: boolean): Told {
  return isTaken ? doubtful(told, item) : told
}

function doubtful(told: Told, { line, revision }: Pick<Lease, 'line' | 'revision'>): Told {
  if (line === undefined) return { ...told, unsure: revision }
  const others = (told.unsureLines ?? []).filter((one) => one !== line)
  return { ...told, unsureLines: [...others, line].slice(-mostLines) }
}
