import { addSegment, extendTo, type Seen, type Segment } from './ranges.ts'
import type { NodeTally, RunTally } from './tally.ts'

/** A run of a sensor. */
export interface RunState extends Seen {
  /** "" when no batch of it ever came. */
  readonly boot: string
  readonly run: string
  /** When the first batch of it that came was sealed. */
  readonly began: number
  /** It may have begun before anybody counted. */
  readonly isOpen: boolean
  readonly lost: Readonly<Record<string, number>>
  /** What of it has been told. */
  readonly lostTold: Readonly<Record<string, number>>
  /** When its goodbye was sealed; 0 without one. */
  readonly goodbye: number
}

/** What is known of a node. Plain JSON; times are milliseconds of the epoch. */
export interface NodeState {
  readonly cluster: string
  readonly node: string
  readonly isVerified: boolean
  readonly instance: string
  /** When its last batch arrived. */
  readonly seen: number
  /** The oldest first. */
  readonly runs: readonly RunState[]
  /** `told`: its silence was; `gone`: it is excused. */
  readonly silence: 'none' | 'told' | 'gone'
  /** It was heard again after its silence was told, and that is to be told. */
  readonly isBack: boolean
}

/** Runs that are kept: batches of older ones change nothing any more. */
export const mostRuns = 4

/** Adds what arrived. Adding it again, or in another order, comes to the same. */
export function addTally(state: NodeState | undefined, tally: NodeTally): NodeState {
  const { cluster, node, isVerified, at } = tally
  let runs = state?.runs ?? []
  for (const run of tally.runs.toSorted((a, b) => beganOf(a) - beganOf(b))) {
    runs = addRun(runs, run, at)
  }
  const isNews = at > (state?.seen ?? 0)
  const isBack = isNews && state?.silence === 'told'
  return {
    ...{ cluster, node, isVerified, runs },
    instance: tally.instance === '' ? (state?.instance ?? '') : tally.instance,
    seen: Math.max(at, state?.seen ?? 0),
    silence: isNews ? 'none' : (state?.silence ?? 'none'),
    isBack: isBack || (state?.isBack ?? false),
  }
}

const beganOf = ({ segments }: RunTally) => segments[0]?.[2] ?? 0

function addRun(before: readonly RunState[], tally: RunTally, at: number): RunState[] {
  const runs = [...before]
  let index = runs.findIndex(({ run }) => run === tally.run)
  if (index === -1) {
    const began = beganOf(tally)
    const isOldest = runs.every((run) => began < run.began)
    if (isOldest && runs.length >= mostRuns) return runs
    const { previous } = tally
    // A run between two that are known, of which nothing came.
    if (!isOldest && previous !== null && !runs.some(({ run }) => run === previous.run)) {
      runs.push(newRun({ boot: '', run: previous.run }, began - 1, false))
    }
    runs.push(newRun(tally, began, isOldest))
    runs.sort((a, b) => a.began - b.began)
    runs.splice(0, runs.length - mostRuns)
    index = runs.findIndex(({ run }) => run === tally.run)
  }
  let run = { ...runs[index]!, boot: tally.boot }
  for (const segment of tally.segments) {
    run = { ...run, ...addSegment(begin(run, segment), segment, at, run.isOpen) }
  }
  run = {
    ...run,
    began: Math.min(run.began, beganOf(tally)),
    lost: most(run.lost, tally.lost),
    goodbye: Math.max(run.goodbye, tally.goodbye),
  }
  runs[index] = run
  const { previous } = tally
  return runs
    .map((one) =>
      previous !== null && one.run === previous.run
        ? { ...one, ...extendTo(one, previous.sequence, at, run.began) }
        : one,
    )
    .sort((a, b) => a.began - b.began)
}

/** Where counting begins in a run of which nothing came. */
function begin(run: RunState, [from, , sealed]: Segment): RunState {
  if (run.high >= run.low) return run
  const place = run.isOpen ? { low: from, high: from - 1 } : {}
  return { ...run, ...place, sealedLow: sealed, sealedHigh: sealed }
}

function newRun(of: Pick<RunState, 'boot' | 'run'>, began: number, isOpen: boolean): RunState {
  const { boot, run } = of
  return {
    ...{ boot, run, began, isOpen, low: 0, high: -1, missing: [], dropped: 0 },
    ...{ sealedLow: began, sealedHigh: began, lost: {}, lostTold: {}, goodbye: 0 },
  }
}

/** The larger of two counts, place by place. */
export function most(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum: Record<string, number> = { ...one }
  for (const [place, count] of Object.entries(other)) {
    sum[place] = Math.max(sum[place] ?? 0, count)
  }
  return sum
}

/** Batches sealed in one go with a goodbye follow it at once. */
const goodbyeMs = 5000

/** Whether the sensor said goodbye, and nothing after. */
export function isOver({ runs }: NodeState): boolean {
  const last = runs.at(-1)
  return last !== undefined && last.goodbye > 0 && last.sealedHigh <= last.goodbye + goodbyeMs
}
