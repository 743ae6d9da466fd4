/** Milliseconds between two times that it is said: well within what a containment is listened to. */
const sayEveryMs = 5000
/** Pods that are named at a time; a node has fewer that are cut off. */
const most = 32

/**
 * Says of each pod that a response has cut off since when all of its network is shipped, again and again while
 * it is so: without it, silence of a pod proves nothing.
 */
export class WatchedPods {
  readonly #say: (text: string) => void
  readonly #now: () => number
  readonly #connectionsOf: (uid: string) => number | undefined
  readonly #since = new Map<string, number>()
  #saidAt = Number.NEGATIVE_INFINITY

  /**
   * `now` is milliseconds of the epoch; `say` takes the text of a `pod-watched` notice; `connectionsOf` tells how many
   * connections to others a pod holds, if that is known.
   */
  constructor(options: {
    readonly say: (text: string) => void
    readonly now: () => number
    readonly connectionsOf: (uid: string) => number | undefined
  }) {
    this.#connectionsOf = options.connectionsOf
    this.#say = options.say
    this.#now = options.now
  }

  /** Takes the uids of the pods whose network is shipped at this moment. */
  take(uids: readonly string[]): void {
    const now = this.#now()
    const fresh = uids.filter((uid) => !this.#since.has(uid))
    for (const uid of this.#since.keys()) if (!uids.includes(uid)) this.#since.delete(uid)
    for (const uid of fresh) this.#since.set(uid, now)
    if (uids.length === 0 || (fresh.length === 0 && now - this.#saidAt < sayEveryMs)) return
    this.#saidAt = now
    for (const [uid, since] of [...this.#since].slice(-most)) {
      const count = this.#connectionsOf(uid)
      this.#say(`${uid} ${since}${count === undefined ? '' : ` ${count}`}`)
    }
  }
}
