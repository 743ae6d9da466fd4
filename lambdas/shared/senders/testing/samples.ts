import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { exportJWK, type JSONWebKeySet, SignJWT } from 'jose'
import {
  type Announcement,
  type BatchInfo,
  bytesToSign,
  encodeBatch,
  readHeader,
  withSignature,
} from '#events'
import type { SenderRecord } from '../senders.ts'
import { keyIdOf } from '../signature.ts'
import { defaultSubject } from '../verify-token.ts'

/** Second of the epoch at which the tests begin. */
export const start = 1_790_000_000

/** An issuer of tokens as a cluster has one, with keys of its own. */
export class TestIssuer {
  readonly issuer: string
  readonly #name: string
  #keys: { kid: string; privateKey: KeyObject; publicKey: KeyObject }[] = []

  constructor(name: string) {
    this.#name = name
    this.issuer = `https://issuer.test/${name}`
    this.rotate()
  }

  /** Signs with another key from now on; the old one goes. */
  rotate(): void {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.#keys = [{ kid: `${this.#name}-${this.#keys[0]?.kid ?? ''}`, ...pair }]
  }

  async keys(): Promise<JSONWebKeySet> {
    const keys = this.#keys.map(async ({ kid, publicKey }) => ({
      ...(await exportJWK(publicKey)),
      ...{ kid, alg: 'RS256', use: 'sig' },
    }))
    return { keys: await Promise.all(keys) }
  }

  /** A token as a pod on this node has it, unless `more` says otherwise. */
  token(node: string | undefined, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const { kid, privateKey } = this.#keys[0]!
    const bound = {
      namespace: 'lanner',
      ...(node !== undefined && { node: { name: node, uid: 'u' } }),
      serviceaccount: { name: 'lanner', uid: 's' },
    }
    return new SignJWT({
      iss: this.issuer,
      sub: defaultSubject,
      aud: ['lanner'],
      iat: start - 60,
      exp: start + 3600,
      'kubernetes.io': bound,
      ...more,
    })
      .setProtectedHeader({ alg: 'RS256', kid })
      .sign(privateKey)
  }
}

/** A sensor that signs, as the agent does. */
export class TestSensor {
  readonly publicKey: Uint8Array
  readonly #privateKey: KeyObject
  readonly info: BatchInfo

  constructor(names: Partial<BatchInfo> = {}) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    this.publicKey = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url')
    this.#privateKey = privateKey
    this.info = {
      cluster: 'prod',
      node: 'a',
      boot: 'boot-1',
      run: 1n,
      sequence: 0,
      previous: undefined,
      sealedAt: BigInt(start) * 1_000_000_000n,
      rulesetHash: '',
      counters: { seen: 0, filtered: 0, folded: 0, lost: {} },
      keyId: keyIdOf(this.publicKey),
      compression: 0,
      ...names,
    }
  }

  /** A record of the stream; `token` announces this sensor in it. */
  record(
    more: Partial<BatchInfo> = {},
    token?: string,
    announced: Partial<Announcement> = {},
  ): SenderRecord {
    const batch = this.sign(encodeBatch({ ...this.info, ...more }, [], (body) => body))
    return recordOf(
      batch,
      token === undefined
        ? undefined
        : { publicKey: this.publicKey, instance: '', token, ...announced },
    )
  }

  sign(batch: Uint8Array): Uint8Array {
    return withSignature(batch, sign(null, bytesToSign(batch), this.#privateKey))
  }
}

export function recordOf(batch: Uint8Array, announcement?: Announcement): SenderRecord {
  const base = { batch, header: readHeader(batch), arrivedAt: start * 1000 }
  return announcement === undefined ? base : { ...base, announcement }
}

/** A batch that nobody signed. */
export function unsigned(info: BatchInfo): SenderRecord {
  return recordOf(encodeBatch({ ...info, keyId: '' }, [], (body) => body))
}
