import { nothingObserved, type Observation } from '../../shared/expectations.ts'
import type { Heard } from '../../shared/heard.ts'

/** A batch, the only one of its run, that covers the time from `from` to `to`, milliseconds of the epoch. */
export function heardFor(from: number, to: number): Heard {
  return { run: `${from}`, first: 1, last: 1, from, to, claim: from, lost: 0 }
}

/** What a node tells that watched all the time a pod which did nothing. */
export function quiet(from: number, to: number): Observation {
  const open = { time: to, count: 0 }
  return { ...nothingObserved, heard: [heardFor(from, to)], watched: [[from, to]], open }
}
