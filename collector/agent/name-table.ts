import { lookup } from 'node:dns/promises'
import { canonicalIp } from '#events'

export interface NameTableOptions {
  /** Names that rules compare `fd.*ip.name` with. */
  readonly names: Iterable<string>
  /** All addresses of a name; rejects when it has none or nobody answers. */
  readonly resolve?: (name: string) => Promise<readonly string[]>
  /** Names at most; the others are never resolved, and {@link NameTable.ignored} says so. */
  readonly limit?: number
  /** Lookups under way at once. */
  readonly concurrency?: number
  /** Rounds for which the addresses of a name that cannot be resolved any more are kept. */
  readonly patience?: number
}

/** Addresses of one name that are believed. */
const addressLimit = 64

/**
 * Names of IP addresses, the other way round: it looks up the names that rules ask for, now and then,
 * and knows an address by the names that led to it. Nothing waits for a lookup; until the first round is
 * done there are no names.
 */
export class NameTable {
  readonly #names: readonly string[]
  readonly #resolve: (name: string) => Promise<readonly string[]>
  readonly #concurrency: number
  readonly #patience: number
  readonly #addresses = new Map<string, { addresses: readonly string[]; failures: number }>()
  #byAddress: ReadonlyMap<string, readonly string[]> = new Map()
  #refreshing: Promise<void> | undefined
  /** Names beyond the limit. */
  readonly ignored: readonly string[]

  constructor(options: NameTableOptions) {
    const { resolve = systemAddresses, limit = 256, concurrency = 2, patience = 10 } = options
    const names = [...new Set(options.names)]
    this.#names = names.slice(0, limit)
    this.ignored = names.slice(limit)
    this.#resolve = resolve
    this.#concurrency = concurrency
    this.#patience = patience
  }

  namesOf(ip: string): readonly string[] {
    return this.#byAddress.get(ip) ?? noNames
  }

  /** Looks all names up, once; a call while a round is under way waits for that. Never rejects. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#round().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #round(): Promise<void> {
    const queue = this.#names.values()
    const worker = async () => {
      for (const name of queue) await this.#lookUp(name)
    }
    await Promise.all(Array.from({ length: this.#concurrency }, worker))
    const byAddress = new Map<string, string[]>()
    for (const [name, { addresses }] of this.#addresses) {
      for (const address of addresses) {
        const names = byAddress.get(address)
        if (names === undefined) byAddress.set(address, [name])
        else names.push(name)
      }
    }
    this.#byAddress = byAddress
  }

  async #lookUp(name: string): Promise<void> {
    try {
      const found = await this.#resolve(name)
      const addresses = found.slice(0, addressLimit).flatMap((text) => canonicalIp(text) ?? [])
      this.#addresses.set(name, { addresses: [...new Set(addresses)], failures: 0 })
    } catch {
      const known = this.#addresses.get(name)
      if (known === undefined) return
      if (known.failures >= this.#patience) this.#addresses.delete(name)
      else known.failures += 1
    }
  }
}

const noNames: readonly string[] = []

/** What the system answers: the hosts file, then DNS. */
async function systemAddresses(name: string): Promise<string[]> {
  const found = await lookup(name, { all: true, order: 'verbatim' })
  return found.map(({ address }) => address)
}

/** Refreshes a table now and every `interval` milliseconds, without keeping the process alive. */
export function keepFresh(table: NameTable, interval: number): { stop(): void } {
  void table.refresh()
  const timer = setInterval(() => void table.refresh(), interval)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}
