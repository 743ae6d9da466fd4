import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { type BatchHeader, bytesToSign } from '#events'

/** What a batch names its key by: 24 hexadecimal digits of the SHA-256 of the raw public key. */
export function keyIdOf(publicKey: Uint8Array): string {
  return createHash('sha256').update(publicKey).digest('hex').slice(0, 24)
}

/** An Ed25519 key from its 32 raw bytes; `undefined` when they are none. */
export function publicKeyFrom(raw: Uint8Array): KeyObject | undefined {
  try {
    const x = Buffer.from(raw).toString('base64url')
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  } catch {
    return undefined
  }
}

export function isSigned({ keyId, signature }: BatchHeader): boolean {
  return keyId !== '' && signature.some((byte) => byte !== 0)
}

/** Whether this key signed the batch, all of it. */
export function isSignedBy(batch: Uint8Array, signature: Uint8Array, key: KeyObject): boolean {
  return verify(null, bytesToSign(batch), key, signature)
}
