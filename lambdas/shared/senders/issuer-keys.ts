import type { JSONWebKeySet } from 'jose'

export interface IssuerKeysOptions {
  /** Reads the keys of an issuer; rejects when that fails. */
  readonly fetchKeys: (issuer: string) => Promise<JSONWebKeySet>
  /** Second of the epoch. */
  readonly now: () => number
}

interface Known {
  keys?: JSONWebKeySet
  fetchedAt: number
  attemptedAt: number
  problem?: string
  pending?: Promise<void>
}

/** Seconds after which keys are read anew, and for which they serve when that fails. */
const freshSeconds = 3600
const usableSeconds = 24 * 3600
/** Seconds between attempts: a flood of tokens with unknown keys asks no more often. */
const pauseSeconds = 30

/** The keys of issuers, kept between invocations. */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions
  readonly #known = new Map<string, Known>()

  constructor(options: IssuerKeysOptions) {
    this.#options = options
  }

  /** Why the keys of an issuer could not be read the last time, if so. */
  problem(issuer: string): string | undefined {
    return this.#known.get(issuer)?.problem
  }

  /** The keys of an issuer; `undefined` when there are none that may be used. */
  async get(issuer: string): Promise<JSONWebKeySet | undefined> {
    const known = this.#of(issuer)
    const { now } = this.#options
    if (known.keys === undefined || now() - known.fetchedAt >= freshSeconds) {
      await this.#attempt(issuer, known)
    }
    return now() - known.fetchedAt < usableSeconds ? known.keys : undefined
  }

  /** Reads the keys again because one is not among them. True when they may be others now. */
  async renew(issuer: string): Promise<boolean> {
    const known = this.#of(issuer)
    const before = known.fetchedAt
    await this.#attempt(issuer, known)
    return known.fetchedAt > before
  }

  #of(issuer: string): Known {
    const known = this.#known.get(issuer)
    if (known !== undefined) return known
    const unknown = {
      fetchedAt: Number.NEGATIVE_INFINITY,
      attemptedAt: Number.NEGATIVE_INFINITY,
    }
    this.#known.set(issuer, unknown)
    return unknown
  }

  async #attempt(issuer: string, known: Known): Promise<void> {
    const { now } = this.#options
    if (known.pending === undefined && now() - known.attemptedAt >= pauseSeconds) {
      known.attemptedAt = now()
      known.pending = this.#fetch(issuer, known).finally(() => delete known.pending)
    }
    await known.pending
  }

  async #fetch(issuer: string, known: Known): Promise<void> {
    try {
      known.keys = await this.#options.fetchKeys(issuer)
      known.fetchedAt = known.attemptedAt
      delete known.problem
    } catch (error) {
      known.problem = error instanceof Error ? error.message : String(error)
    }
  }
}

const mostBytes = 256 << 10
const timeoutMs = 5000

/** Reads the keys of an issuer the way that OpenID Connect says: its configuration names where. */
export async function discoverKeys(issuer: string): Promise<JSONWebKeySet> {
  const about = await getJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  const { issuer: named, jwks_uri: uri } = about as Record<string, unknown>
  if (named !== issuer) {
    throw new Error(`${issuer}: its configuration is that of ${JSON.stringify(named)}`)
  }
  if (typeof uri !== 'string') throw new Error(`${issuer}: its configuration has no jwks_uri`)
  const set = await getJson(uri)
  const { keys } = set as Record<string, unknown>
  if (!Array.isArray(keys)) throw new Error(`${uri}: there are no keys in it`)
  return set as JSONWebKeySet
}

async function getJson(address: string): Promise<object> {
  if (!address.startsWith('https://')) throw new Error(`${address}: only https is trusted`)
  const answer = await fetch(address, {
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
    headers: { accept: 'application/json' },
  })
  if (!answer.ok) throw new Error(`${address}: HTTP ${answer.status}`)
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of answer.body ?? []) {
    length += piece.length
    if (length > mostBytes) throw new Error(`${address}: more than ${mostBytes} bytes`)
    pieces.push(piece)
  }
  const json: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'))
  if (typeof json !== 'object' || json === null) throw new Error(`${address}: no JSON object`)
  return json
}
