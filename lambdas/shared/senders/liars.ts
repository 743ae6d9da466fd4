import type { KeyObject } from 'node:crypto'
import type { StateStore } from '#correlate'
import { itemKey } from '../state-key.ts'
import { publicKeyFrom } from './signature.ts'

/** Where a key really is, by its token. */
export interface Elsewhere {
  readonly kind: 'elsewhere'
  readonly cluster: string
  readonly node: string
}

interface Liar {
  readonly key: KeyObject
  readonly proof: Elsewhere
}

const keptSeconds = 7 * 86_400
/** Seconds for which a key that is none of them is not looked up again. */
const absentSeconds = 300
const mostKnown = 5000

/**
 * Keys whose token once named another node than their batches: what they sign without a token after
 * that is known to be theirs, by every function.
 */
export class Liars {
  readonly #options: { readonly store: StateStore; readonly now: () => number }
  readonly #known = new Map<string, Liar>()
  /** When a key was looked up that is none of them. */
  readonly #absent = new Map<string, number>()

  constructor(options: { readonly store: StateStore; readonly now: () => number }) {
    this.#options = options
  }

  get(keyId: string): Liar | undefined {
    return this.#known.get(keyId)
  }

  async note(keyId: string, publicKey: Uint8Array, proof: Elsewhere): Promise<void> {
    if (this.#known.has(keyId)) return
    const { store, now } = this.#options
    const { cluster, node } = proof
    const value = { cluster, node, key: Buffer.from(publicKey).toString('base64url') }
    // A conflict: it is known already.
    await store.write([
      { key: itemKey('liar', keyId), value, from: 0, expires: now() + keptSeconds },
    ])
    this.#remember(keyId, value)
  }

  /** Looks up those of these keys of which nothing is known here. */
  async load(keyIds: readonly string[]): Promise<void> {
    const { store, now } = this.#options
    const seconds = now()
    const wanted = [...new Set(keyIds)].filter(
      (keyId) =>
        !this.#known.has(keyId) &&
        seconds - (this.#absent.get(keyId) ?? Number.NEGATIVE_INFINITY) >= absentSeconds,
    )
    if (wanted.length === 0) return
    const keyOf = (keyId: string) => itemKey('liar', keyId)
    const items = await store.read(wanted.map(keyOf), seconds)
    if (this.#absent.size >= mostKnown) this.#absent.clear()
    for (const keyId of wanted) {
      const item = items.get(keyOf(keyId))
      if (item === undefined) this.#absent.set(keyId, seconds)
      else this.#remember(keyId, item.value as { cluster: string; node: string; key: string })
    }
  }

  #remember(keyId: string, { cluster, node, key }: { cluster: string; node: string; key: string }) {
    const found = publicKeyFrom(Buffer.from(key, 'base64url'))
    if (found === undefined) return
    if (this.#known.size >= mostKnown) this.#known.clear()
    this.#known.set(keyId, { key: found, proof: { kind: 'elsewhere', cluster, node } })
  }
}
