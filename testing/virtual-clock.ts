/** A clock that stands still, and goes on by whatever somebody sleeps. */
export class VirtualClock {
  #now = 0
  /** Called while time passes, once a second of it. */
  onSecond: (second: number) => Promise<void> | void = () => {}

  now(): number {
    return this.#now
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    const end = this.#now + ms
    while (this.#now < end && !signal.aborted) {
      const second = Math.floor(this.#now / 1000) + 1
      this.#now = Math.min(end, second * 1000)
      if (this.#now === second * 1000) await this.onSecond(second)
      // Lets everything that is ready happen: sockets and files too.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}
