import { createHash } from 'node:crypto'
import { canarySeconds } from '#events'

/** A node sends its canary within so many seconds of a slot, so that they do not all come at once. */
const jitterSeconds = 60

/** Says when a node's canary is due: once a slot of the wall clock, at a second of the node's own. */
export class CanaryClock {
  readonly #offset: number
  #slot: number | undefined

  /** @param node whose name decides the second */
  constructor(node: string) {
    const [first = 0, second = 0] = createHash('sha256').update(node).digest()
    this.#offset = (first * 256 + second) % jitterSeconds
  }

  /** To be asked now and then, with seconds of the epoch. A clock that is put back gives none twice. */
  isDue(now: number): boolean {
    const slot = Math.floor((now - this.#offset) / canarySeconds)
    const isDue = this.#slot !== undefined && slot > this.#slot
    this.#slot = Math.max(slot, this.#slot ?? slot)
    return isDue
  }
}
