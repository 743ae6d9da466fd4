import type { BatchHeader } from '#events'

/** Milliseconds of the epoch. */
export type Stretch = readonly [from: number, to: number]

/** Batches of a run that follow each other without a loss: nothing that happened between `from` and `to` is missing. */
export interface Heard {
  readonly run: string
  /** Sequences of the first batch and the last. */
  readonly first: number
  readonly last: number
  /** Milliseconds of the epoch, as all times here. */
  readonly from: number
  readonly to: number
  /** Since when nothing is missing if the batch before the first came, too. */
  readonly claim: number
  /** Events that the run had lost by then. */
  readonly lost: number
}

/** Of a batch, what says how much of its node it covers. */
export interface Place {
  /** Nanoseconds of the epoch. */
  readonly firstTime: bigint
  readonly lastTime: bigint
  readonly sealedAt: bigint
  readonly run: bigint
  /** Of the batch within the run of its sensor. */
  readonly sequence: number
  readonly counters: Pick<BatchHeader['counters'], 'lost'>
  /** Whether something before it, or of it, is known to be missing. */
  readonly hasGap: boolean
}

/** Batches of a node that lives follow each other at most so far apart: the longest heartbeat, and some. */
export const heartbeatMs = 65_000

const mostHeard = 200

/** What one batch says of the time. */
export function heardBy({ run, sequence, counters, hasGap, ...times }: Place): Heard {
  const to = Math.max(milliseconds(times.lastTime), milliseconds(times.sealedAt))
  const first = milliseconds(times.firstTime) || to
  const from = hasGap ? to : first
  // it also stands for the silence since the batch before, if there was one
  const claim = hasGap || sequence === 0 ? from : Math.min(first, to - heartbeatMs)
  const lost = Object.values(counters.lost).reduce((sum, count) => sum + count, 0)
  return { run: `${run}`, first: sequence, last: sequence, from, to, claim, lost }
}

/** Batches of which each is the next of the one before are one. */
export function chained(all: readonly Heard[]): readonly Heard[] {
  const chains: Heard[] = []
  for (const one of [...all].sort(byPlace)) {
    const last = chains.at(-1)
    const isNext =
      last?.run === one.run &&
      one.first <= last.last + 1 &&
      (one.first <= last.last || one.lost === last.lost)
    if (!isNext) chains.push(one)
    else if (one.last > last.last) {
      chains[chains.length - 1] = {
        ...last,
        last: one.last,
        to: Math.max(last.to, one.to),
        lost: one.lost,
      }
    }
  }
  return chains.slice(-mostHeard)
}

function byPlace(a: Heard, b: Heard): number {
  if (a.run !== b.run) return a.run < b.run ? -1 : 1
  return a.first - b.first || b.last - a.last
}

/**
 * For how long a node was heard of without a loss. What a batch claims of the time before it is believed of the
 * first of a run alone: that it came while nobody listened yet is likely, but between two that came it is lost.
 */
export function stretchesOf(heard: readonly Heard[]): readonly Stretch[] {
  return heard.map(({ run, from, to, claim }, at) =>
    heard[at - 1]?.run === run ? [from, to] : [Math.min(from, claim), to],
  )
}

/** Stretches of time that touch or overlap are one. */
export function joined(stretches: readonly Stretch[]): readonly Stretch[] {
  const all: [number, number][] = []
  for (const [from, to] of [...stretches].sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = all.at(-1)
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else all.push([from, to])
  }
  return all.slice(-mostHeard)
}

export function milliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000n)
}
