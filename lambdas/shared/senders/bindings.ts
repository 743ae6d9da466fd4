import type { KeyObject } from 'node:crypto'
import type { StateStore } from '#correlate'
import type { BatchHeader } from '#events'
import { itemKey } from '../state-key.ts'
import { keyIdOf, publicKeyFrom } from './signature.ts'

/** A run of a sensor by the names in its batches. */
export type SenderName = Pick<BatchHeader, 'cluster' | 'node' | 'boot' | 'run'>

/** The key of a run: the first that was verified, for good. */
export interface Binding {
  /** Who vouched. */
  readonly issuer: string
  readonly keyId: string
  readonly key: KeyObject
}

/** As it is stored: the key as base64url, and the second after which it goes. */
interface Stored {
  readonly issuer: string
  readonly key: string
  readonly until: number
}

interface Cached {
  readonly binding: Binding | undefined
  readonly stored: Stored | undefined
  readonly version: number
  readonly readAt: number
}

export interface BindingsOptions {
  readonly store: StateStore
  /** Second of the epoch. */
  readonly now: () => number
}

const lifetime = 30 * 86_400
/** A binding in use is prolonged once it is so old. */
const renewAfter = 86_400
/** Seconds for which it is believed that a run has none: another function may have bound it. */
const absentSeconds = 20
const mostCached = 20_000

/** Which key each run has, in the store and, once read, here. */
export class Bindings {
  readonly #options: BindingsOptions
  readonly #cache = new Map<string, Cached>()

  constructor(options: BindingsOptions) {
    this.#options = options
  }

  /** Reads those of these runs that are not known here, and prolongs those in use. */
  async load(senders: readonly SenderName[]): Promise<void> {
    const { store, now } = this.#options
    const seconds = now()
    const keys = [...new Set(senders.map(keyOf))]
    const unknown = keys.filter((key) => {
      const cached = this.#cache.get(key)
      if (cached === undefined) return true
      return cached.binding === undefined && seconds - cached.readAt >= absentSeconds
    })
    await this.#read(unknown)
    const old = keys.flatMap((key) => {
      const { stored, version } = this.#cache.get(key) ?? {}
      if (stored === undefined || stored.until - seconds > lifetime - renewAfter) return []
      const until = seconds + lifetime
      return [{ key, value: { ...stored, until }, from: version!, expires: until }]
    })
    if (old.length === 0) return
    await store.write(old)
    // Whoever prolonged them first: what is there now is read.
    await this.#read(old.map(({ key }) => key))
  }

  /** The binding of a run that was loaded. */
  get(sender: SenderName): Binding | undefined {
    return this.#cache.get(keyOf(sender))?.binding
  }

  /** Binds a run to a key unless it has one, and gives the one that it has then. */
  async bind(sender: SenderName, publicKey: Uint8Array, issuer: string): Promise<Binding> {
    const { store, now } = this.#options
    const key = keyOf(sender)
    const until = now() + lifetime
    const value = { issuer, key: Buffer.from(publicKey).toString('base64url'), until }
    await store.write([{ key, value, from: 0, expires: until }])
    // Taken or not, the item says who was first.
    await this.#read([key])
    const bound = this.get(sender)
    if (bound === undefined) throw new Error(`the binding ${key} is not there after it was written`)
    return bound
  }

  async #read(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return
    const readAt = this.#options.now()
    const items = await this.#options.store.read(keys, readAt)
    for (const key of keys) {
      const item = items.get(key)
      const stored = item?.value as Stored | undefined
      const bytes = Buffer.from(stored?.key ?? '', 'base64url')
      const found = publicKeyFrom(bytes)
      this.#remember(key, {
        binding: found && { issuer: stored!.issuer, keyId: keyIdOf(bytes), key: found },
        stored,
        version: item?.version ?? 0,
        readAt,
      })
    }
  }

  #remember(key: string, cached: Cached): void {
    this.#cache.delete(key)
    this.#cache.set(key, cached)
    if (this.#cache.size > mostCached) this.#cache.delete(this.#cache.keys().next().value!)
  }
}

function keyOf({ cluster, node, boot, run }: SenderName): string {
  return itemKey('sender', cluster, node, boot, `${run}`)
}
