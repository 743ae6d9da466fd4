/** What the router puts into the queue of a kind of destinations: a message of the bus, for one of them. */
export interface DeliveryEnvelope {
  /** Name in the routes file. */
  readonly destination: string
  readonly detailType: string
  readonly detail: unknown
  /** When it was first meant for the destination, milliseconds of the epoch. */
  readonly since: number
  /** Attempts that the destination refused or did not answer. */
  readonly attempt: number
  /** Not before, milliseconds of the epoch. */
  readonly notBefore?: number
  /** Its turn under the rate limit comes at `notBefore`. */
  readonly hasTurn?: true
  /** Says again what is open: number of the timer; an older one than the ledger's is void. */
  readonly timer?: number
}
