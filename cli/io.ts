/** Where a command writes; tests give one that collects. */
export interface Io {
  /** Text for standard output, newlines included. */
  out(text: string): void
  /** Text for standard error, newlines included. */
  err(text: string): void
  /** Whether people look at it and the terminal shows colours. */
  readonly color: boolean
}

/** Wrong usage: `main.ts` prints the message and exits with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What a command's file exports. */
export interface Command {
  /** Shown by `--help`. */
  readonly usage: string
  /** Does the work and gives the exit code. */
  run(args: readonly string[], io: Io): Promise<number>
}

const codes = { red: 31, yellow: 33, green: 32, bold: 1, dim: 2 } as const

export function paint(text: string, style: keyof typeof codes, io: Io): string {
  return io.color ? `\x1b[${codes[style]}m${text}\x1b[0m` : text
}
