import type { JSONWebKeySet } from 'jose'
import type { StateStore } from '#correlate'
import type { Announcement, BatchHeader } from '#events'
import type { SenderState } from '../detection.ts'
import type { SensorFinding } from '../sensor-finding.ts'
import { Bindings } from './bindings.ts'
import { Enrolled, type EnrolledKey } from './enrolled.ts'
import { discoverKeys, IssuerKeys } from './issuer-keys.ts'
import { type Elsewhere, Liars } from './liars.ts'
import { type Claim, findingOf, issuerFinding } from './sender-findings.ts'
import { isSigned, isSignedBy, keyIdOf, publicKeyFrom } from './signature.ts'
import { type TrustedIssuer, verifyToken } from './verify-token.ts'

export interface SendersOptions {
  readonly store: StateStore
  /** Whose word is taken for which cluster. */
  readonly issuers: readonly TrustedIssuer[]
  /** Keys of nodes outside Kubernetes. */
  readonly enrolled: readonly EnrolledKey[]
  /** Reads an issuer's keys: by discovery without it. */
  readonly fetchKeys?: (issuer: string) => Promise<JSONWebKeySet>
  /** Second of the epoch. */
  readonly now: () => number
}

/** A record of the stream, taken apart. */
export interface SenderRecord {
  readonly batch: Uint8Array
  readonly header: BatchHeader
  readonly announcement?: Announcement
  /** When the stream took it, milliseconds of the epoch. */
  readonly arrivedAt: number
}

export interface SenderVerdict {
  readonly sender: SenderState
  readonly findings: readonly SensorFinding[]
}

/** What an announcement proves. */
type Proof =
  | { readonly kind: 'bound' }
  | { readonly kind: 'second-key' }
  | Elsewhere
  /** It does not belong to its batch. */
  | { readonly kind: 'forged' }
  | { readonly kind: 'none' | 'refused' | 'unknown'; readonly reason: string }

/**
 * Says of each batch who sent it. A run of a sensor is bound to the first key that its node's token
 * vouched for; from then on only batches signed by it are of that run.
 */
export class Senders {
  readonly #options: SendersOptions
  readonly #bindings: Bindings
  readonly #enrolled: Enrolled
  readonly #keys: IssuerKeys
  readonly #liars: Liars

  constructor(options: SendersOptions) {
    const { fetchKeys = discoverKeys, now, store, enrolled } = options
    this.#options = options
    this.#bindings = new Bindings({ store, now })
    this.#enrolled = new Enrolled(enrolled)
    this.#keys = new IssuerKeys({ fetchKeys, now })
    this.#liars = new Liars({ store, now })
  }

  /**
   * One verdict a record, in their order. Announcements count for the whole call, wherever they stand
   * in it; what is found of several records is told with the first. Rejects with `StateUnavailable`; the same records may then be given again.
   */
  async judge(records: readonly SenderRecord[]): Promise<SenderVerdict[]> {
    await this.#bindings.load(
      records.flatMap(({ header }) => (this.#isVouchedFor(header) ? [header] : [])),
    )
    const proofs: Proof[] = []
    for (const record of records) proofs.push(await this.#prove(record))
    await this.#liars.load(
      records.flatMap(({ header }) =>
        this.#isVouchedFor(header) && isSigned(header) && this.#bindingOf(header) === undefined
          ? [header.keyId]
          : [],
      ),
    )
    const told = new Set<string>()
    return records.map((record, at) => {
      const { sender, findings } = this.#judge(record, proofs[at]!)
      const fresh = findings.filter(({ rule, key }) => {
        const name = JSON.stringify([rule, ...key])
        return !told.has(name) && told.add(name)
      })
      return { sender, findings: fresh }
    })
  }

  /** Whether runs of this sensor are bound by tokens. */
  #isVouchedFor({ cluster, node }: BatchHeader): boolean {
    if (this.#enrolled.has(cluster, node)) return false
    return this.#options.issuers.some((issuer) => issuer.cluster === cluster)
  }

  async #prove({ batch, header, announcement, arrivedAt }: SenderRecord): Promise<Proof> {
    const { issuers } = this.#options
    if (announcement === undefined) return { kind: 'none', reason: 'it announced no key' }
    if (issuers.length === 0) return { kind: 'none', reason: 'no issuer is trusted' }
    const { publicKey, token } = announcement
    const key = publicKeyFrom(publicKey)
    if (
      key === undefined ||
      keyIdOf(publicKey) !== header.keyId ||
      !isSignedBy(batch, header.signature, key)
    ) {
      return { kind: 'forged' }
    }
    const isVouchedFor = this.#isVouchedFor(header)
    if (isVouchedFor && this.#bindingOf(header)?.keyId === header.keyId) return { kind: 'bound' }
    if (token === '') return { kind: 'none', reason: 'it has no token' }
    const verdict = await verifyToken(token, issuers, this.#keys, arrivedAt)
    if (verdict.kind !== 'good') return verdict
    const { issuer, cluster, node } = verdict
    if (cluster !== header.cluster || (node ?? header.node) !== header.node) {
      const proof = { kind: 'elsewhere', cluster, node: node ?? '' } as const
      await this.#liars.note(header.keyId, publicKey, proof)
      return proof
    }
    if (node === undefined) return { kind: 'none', reason: 'its token names no node' }
    if (!isVouchedFor) return { kind: 'none', reason: 'its node is enrolled with a key' }
    const bound = await this.#bindings.bind(header, publicKey, issuer)
    return { kind: bound.keyId === header.keyId ? 'bound' : 'second-key' }
  }

  /** Of an issuer that is still trusted for the cluster. */
  #bindingOf(header: BatchHeader) {
    const binding = this.#bindings.get(header)
    const isTrusted = this.#options.issuers.some(
      ({ issuer, cluster }) => issuer === binding?.issuer && cluster === header.cluster,
    )
    return isTrusted ? binding : undefined
  }

  #judge(record: SenderRecord, proof: Proof): SenderVerdict {
    const { batch, header } = record
    const say = (sender: SenderState, claim: Claim): SenderVerdict => {
      const knows = this.#options.issuers.some(({ cluster }) => cluster === header.cluster)
      return { sender, findings: [findingOf(record, claim, knows || this.#isEnrolled(header))] }
    }
    if (proof.kind === 'elsewhere') return say('mismatched', proof)
    const { issuers, enrolled } = this.#options
    if (!this.#isVouchedFor(header) && !this.#enrolled.has(header.cluster, header.node)) {
      if (issuers.length === 0 && enrolled.length === 0) {
        return { sender: 'unverified', findings: [] }
      }
      return say('unverified', { kind: 'nobody-vouches' })
    }
    if (!isSigned(header)) return say('mismatched', { kind: 'unsigned' })
    if (proof.kind === 'second-key') return say('mismatched', proof)
    const known = this.#enrolled.get(header.cluster, header.node) ?? this.#bindingOf(header)
    if (known === undefined) {
      const liar = this.#liars.get(header.keyId)
      const { cluster, node } = liar?.proof ?? header
      const isElsewhere = cluster !== header.cluster || node !== header.node
      if (liar !== undefined && isElsewhere && isSignedBy(batch, header.signature, liar.key)) {
        return say('mismatched', liar.proof)
      }
      if (proof.kind === 'forged') return say('mismatched', { kind: 'wrong-signature' })
      if (proof.kind === 'unknown') {
        return { sender: 'unverified', findings: [issuerFinding(record, proof.reason)] }
      }
      const reason = 'reason' in proof ? proof.reason : 'its key is not known'
      return say('unverified', { kind: proof.kind === 'refused' ? 'refused' : 'unproven', reason })
    }
    if (known.keyId !== header.keyId) return say('mismatched', { kind: 'unknown-key' })
    if (!isSignedBy(batch, header.signature, known.key)) {
      return say('mismatched', { kind: 'wrong-signature' })
    }
    return { sender: 'verified', findings: [] }
  }

  #isEnrolled({ cluster }: BatchHeader): boolean {
    return this.#options.enrolled.some((one) => one.cluster === cluster)
  }
}
