import { generateKeyPairSync, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { bytesToSign, readHeader } from '#events'
import { makeBatch } from '#testing/batches.ts'
import { BatchSigner } from './batch-signer.ts'

describe('the key of a run', () => {
  it('is that of its seed, each time', () => {
    const seed = new Uint8Array(32).fill(7)
    const [one, two] = [BatchSigner.fromSeed(seed), BatchSigner.fromSeed(seed)]
    expect(one.keyId).toMatch(/^[0-9a-f]{24}$/)
    expect(two.publicKey).toEqual(one.publicKey)
    expect(BatchSigner.fromSeed(new Uint8Array(32).fill(8)).keyId).not.toBe(one.keyId)
  })

  it('is the one of RFC 8032, section 7.1, for its seed', () => {
    const seed = Buffer.from(
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      'hex',
    )
    expect(Buffer.from(BatchSigner.fromSeed(seed).publicKey).toString('hex')).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    )
  })

  it('signs all of a batch, in place', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
    const batch = makeBatch({ sequence: 3, fill: 1000 })
    const signed = BatchSigner.fromPem(pem).sign(batch)
    expect(signed.length).toBe(batch.length)
    const isGood = (bytes: Uint8Array) =>
      verify(null, bytesToSign(bytes), publicKey, readHeader(signed).signature)
    expect(isGood(signed)).toBe(true)
    for (const at of [6, 40, 90, signed.length - 1]) {
      const changed = signed.slice()
      changed[at]! ^= 1
      let isStillGood = false
      try {
        isStillGood = isGood(changed)
      } catch {
        // no batch any more
      }
      expect(isStillGood).toBe(false)
    }
  })

  it('may be of no other kind', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
    expect(() => BatchSigner.fromPem(pem)).toThrow('an Ed25519 key is wanted, not ec')
  })
})
