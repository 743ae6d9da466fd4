import type { Extractor, Value } from '#events'
import type { Test } from './compile-check.ts'

/**
 * What is known of the event at hand: values of fields and results of shared conditions, each
 * stamped with the number of the event it belongs to. Nothing is cleared or allocated per event.
 */
export class Memory<E> {
  readonly #now = { event: 0 }

  /** The next event begins; nothing is known of it. */
  next(): void {
    this.#now.event += 1
  }

  /** Reads a value at most once an event. */
  value(extract: Extractor<E>): Extractor<E> {
    const now = this.#now
    let stamp = 0
    let value: Value
    return (event) => {
      if (stamp === now.event) return value
      stamp = now.event
      value = extract(event)
      return value
    }
  }

  /** Evaluates a condition at most once an event. */
  once(test: Test<E>): Test<E> {
    const now = this.#now
    let stamp = 0
    let result = false
    return (event) => {
      if (stamp === now.event) return result
      result = test(event)
      stamp = now.event
      return result
    }
  }
}
