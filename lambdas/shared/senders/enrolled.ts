import { createPublicKey, type KeyObject } from 'node:crypto'
import { keyIdOf, publicKeyFrom } from './signature.ts'

/** The key of a node that no issuer vouches for, as an operator enrolled it. */
export interface EnrolledKey {
  readonly cluster: string
  readonly node: string
  /** Ed25519: PEM, or its 32 raw bytes as base64. */
  readonly publicKey: string
}

interface Key {
  readonly keyId: string
  readonly key: KeyObject
}

/** Keys by node. */
export class Enrolled {
  readonly #keys = new Map<string, Key>()

  /** Throws one error that names every key that is none. */
  constructor(enrolled: readonly EnrolledKey[]) {
    const mistakes: string[] = []
    for (const { cluster, node, publicKey } of enrolled) {
      const raw = rawKey(publicKey)
      const key = raw && publicKeyFrom(raw)
      const name = nameOf(cluster, node)
      if (key === undefined) mistakes.push(`${name}: an Ed25519 key as PEM or base64 is wanted`)
      else if (this.#keys.has(name)) mistakes.push(`${name}: it has a key already`)
      else this.#keys.set(name, { keyId: keyIdOf(raw!), key })
    }
    if (mistakes.length > 0) throw new TypeError(`enrolled keys: ${mistakes.join('; ')}`)
  }

  has(cluster: string, node: string): boolean {
    return this.#keys.has(nameOf(cluster, node))
  }

  get(cluster: string, node: string): Key | undefined {
    return this.#keys.get(nameOf(cluster, node))
  }
}

/** Whether it is an Ed25519 key as {@link EnrolledKey} wants it. */
export function isEnrollable(publicKey: string): boolean {
  const raw = rawKey(publicKey)
  return raw !== undefined && publicKeyFrom(raw) !== undefined
}

const nameOf = (cluster: string, node: string) => JSON.stringify([cluster, node])

function rawKey(text: string): Uint8Array | undefined {
  if (!text.includes('BEGIN PUBLIC KEY')) {
    return /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined
  }
  try {
    const { kty, crv, x = '' } = createPublicKey(text).export({ format: 'jwk' })
    return kty === 'OKP' && crv === 'Ed25519' ? Buffer.from(x, 'base64url') : undefined
  } catch {
    return undefined
  }
}
