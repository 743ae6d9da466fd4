/** Where alerts made on the node go, a line of JSON each. */
export interface AlertOutput {
  /** Takes an alert without waiting for it to be written; what cannot be kept is dropped and counted. */
  write(alert: string): void
  readonly figures: AlertOutputFigures
  /** Writes what waits, as far as it can within a few seconds. */
  close(): Promise<void>
}

export interface AlertOutputFigures {
  readonly written: number
  readonly dropped: number
}
