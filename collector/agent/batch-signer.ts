import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { bytesToSign, withSignature } from '#events'

/** The DER of an Ed25519 private key (PKCS #8), up to its 32 bytes of seed. RFC 8410, section 7. */
const derHead = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Signs batches with an Ed25519 key. */
export class BatchSigner {
  readonly #key: KeyObject
  /** 32 raw bytes. */
  readonly publicKey: Uint8Array
  /** 24 hexadecimal digits of the SHA-256 of the public key: what headers name it by. */
  readonly keyId: string

  private constructor(key: KeyObject) {
    this.#key = key
    this.publicKey = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x!, 'base64url')
    this.keyId = createHash('sha256').update(this.publicKey).digest('hex').slice(0, 24)
  }

  /** The key of a seed of 32 bytes. */
  static fromSeed(seed: Uint8Array): BatchSigner {
    const key = Buffer.concat([derHead, seed])
    return new BatchSigner(createPrivateKey({ key, format: 'der', type: 'pkcs8' }))
  }

  /** The key in a PEM file. Throws for one that is no Ed25519 key. */
  static fromPem(pem: string): BatchSigner {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType !== 'ed25519') {
      throw new TypeError(`an Ed25519 key is wanted, not ${key.asymmetricKeyType}`)
    }
    return new BatchSigner(key)
  }

  /** The batch, signed; its header must name this key. */
  sign(batch: Uint8Array): Uint8Array {
    return withSignature(batch, sign(null, bytesToSign(batch), this.#key))
  }
}
