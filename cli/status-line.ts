/** Figures of a running watch. */
export interface WatchFigures {
  readonly seconds: number
  /** System calls that rules might want, as the kernel counted them. */
  readonly seen: number
  /** Of these, what came through the kernel's filters. */
  readonly kept: number
  readonly lost: number
  readonly detections: number
  readonly rules: number
  /** Memory that the agent has written, bytes. */
  readonly memory: number
  readonly restarts: number
}

function rate(count: number, seconds: number): string {
  const perSecond = seconds > 0 ? count / seconds : 0
  if (perSecond >= 10_000) return `${(perSecond / 1000).toFixed(0)}k`
  return perSecond >= 100 ? perSecond.toFixed(0) : perSecond.toFixed(1)
}

/** One line of figures; rates over the time since `before`, totals for the rest. */
export function statusText(now: WatchFigures, before: WatchFigures | undefined): string {
  const seconds = now.seconds - (before?.seconds ?? 0)
  const parts = [
    `${rate(now.seen - (before?.seen ?? 0), seconds)} events/s seen`,
    `${rate(now.kept - (before?.kept ?? 0), seconds)}/s kept`,
    `${now.lost} lost`,
    `${now.detections} detections`,
    `${now.rules} rules`,
    `${(now.memory / 2 ** 20).toFixed(0)} MiB`,
  ]
  if (now.restarts > 0) parts.push(`${now.restarts} restarts`)
  return parts.join('  ·  ')
}

/**
 * Output with a line of figures that always stands last. Without a terminal the figures are left out,
 * apart from the closing ones, which go to the error stream.
 */
export class StatusLine {
  readonly #terminal: boolean
  readonly #out: (text: string) => void
  #shown = ''

  constructor(terminal: boolean, out: (text: string) => void) {
    this.#terminal = terminal
    this.#out = out
  }

  /** Prints lines above the figures. */
  print(text: string): void {
    if (!this.#terminal) {
      this.#out(text)
      return
    }
    this.#out(`\r\x1b[K${text}${this.#shown}`)
  }

  show(text: string, columns: number): void {
    if (!this.#terminal) return
    // a wrapped line could not be taken back
    this.#shown = text.slice(0, Math.max(20, columns - 1))
    this.#out(`\r\x1b[K\x1b[2m${this.#shown}\x1b[0m`)
  }

  clear(): void {
    if (this.#terminal) this.#out('\r\x1b[K')
    this.#shown = ''
  }
}
