/** What a server does instead of, or to, a right answer. */
export type Fault =
  /** Answers with an error of this status. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: number }
  /** Waits before it answers. */
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** Answers a few bytes at a time. */
  | { readonly kind: 'dribble'; readonly bytes: number; readonly milliseconds: number }
  /** Takes the call, and never answers. */
  | { readonly kind: 'hang' }
  /** Breaks the connection after so many bytes of the answer. */
  | { readonly kind: 'drop'; readonly afterBytes: number }
  /** Breaks the connection without an answer. */
  | { readonly kind: 'refuse' }
  /** Answers something else. */
  | { readonly kind: 'body'; readonly body: string }

export type CallKind = 'list' | 'watch'

interface Planned {
  readonly fault: Fault
  readonly on: CallKind | undefined
  times: number
}

/** The faults to come, in the order in which they were planned. */
export class Faults {
  readonly #planned: Planned[] = []

  /** For the next `times` calls, or those of one kind. */
  next(fault: Fault, { times = 1, on }: { times?: number; on?: CallKind } = {}): void {
    this.#planned.push({ fault, on, times })
  }

  /** For every call from now on, until {@link clear}. */
  always(fault: Fault, on?: CallKind): void {
    this.next(fault, { times: Number.POSITIVE_INFINITY, ...(on !== undefined && { on }) })
  }

  clear(): void {
    this.#planned.length = 0
  }

  /** The fault of this call. */
  take(kind: CallKind): Fault | undefined {
    const index = this.#planned.findIndex(({ on }) => on === undefined || on === kind)
    const planned = this.#planned[index]
    if (planned === undefined) return undefined
    planned.times -= 1
    if (planned.times <= 0) this.#planned.splice(index, 1)
    return planned.fault
  }
}
