import type { TrustedSenders } from './read-senders.ts'
import type { Senders } from './senders/index.ts'

export interface FollowSendersOptions {
  /** Reads whom to believe. */
  readonly read: () => Promise<TrustedSenders>
  /** Throws for a list with mistakes. */
  readonly make: (trusted: TrustedSenders) => Pick<Senders, 'judge'>
  /** Milliseconds that only grow. */
  readonly now: () => number
  /** Told of a changed list that cannot be used: the one before stays. */
  readonly onProblem: (error: unknown) => void
}

const rereadMs = 60_000

/** Judges senders by the list of today: a new cluster is believed within a minute, without redeploy. */
export function followSenders(options: FollowSendersOptions): Pick<Senders, 'judge'> {
  const { read, make, now, onProblem } = options
  let current: { readonly text: string; readonly senders: Pick<Senders, 'judge'> } | undefined
  let readAt = Number.NEGATIVE_INFINITY
  const look = async () => {
    if (current !== undefined && now() - readAt < rereadMs) return current.senders
    readAt = now()
    try {
      const trusted = await read()
      const text = JSON.stringify(trusted)
      if (current?.text !== text) current = { text, senders: make(trusted) }
    } catch (error) {
      if (current === undefined) throw error
      onProblem(error)
    }
    return current.senders
  }
  return { judge: async (records) => (await look()).judge(records) }
}
