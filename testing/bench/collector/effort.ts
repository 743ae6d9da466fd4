/** How much a measurement does. */
export interface Effort {
  readonly rounds: number
  /** A number of passes or seconds, or less of it where only a trial is wanted. */
  count(full: number): number
}

export const full: Effort = { rounds: 5, count: (count) => count }
/** Enough to see that a measurement works, not to believe its figures. */
export const trial: Effort = { rounds: 1, count: (count) => Math.ceil(count / 10) }
