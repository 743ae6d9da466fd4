import {
  createLocalJWKSet,
  decodeJwt,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
} from 'jose'

/** An issuer of service account tokens whose word is taken for one cluster. */
export interface TrustedIssuer {
  /** As in the tokens' `iss`. */
  readonly issuer: string
  /** The cluster that it speaks for, as batches name it. */
  readonly cluster: string
  /** `lanner` without it. */
  readonly audience?: string
  /**
   * The sensor's service account. Anybody who may start a pod gets tokens of this audience for other
   * accounts, so this is what keeps pods from speaking for their node.
   */
  readonly subject?: string
  /** Its keys, for one that cannot be asked from here. */
  readonly keys?: JSONWebKeySet
}

export const defaultAudience = 'lanner'
export const defaultSubject = 'system:serviceaccount:lanner:lanner'

export type TokenVerdict =
  /** `node` is absent where Kubernetes does not say it (before 1.29). */
  | {
      readonly kind: 'good'
      readonly issuer: string
      readonly cluster: string
      readonly node: string | undefined
    }
  | { readonly kind: 'refused'; readonly reason: string }
  /** Nobody can say: the keys cannot be read. */
  | {
      readonly kind: 'unknown'
      readonly issuer: string
      readonly cluster: string
      readonly reason: string
    }

/** Where keys come from: see `IssuerKeys`. */
export interface KeySource {
  get(issuer: string): Promise<JSONWebKeySet | undefined>
  renew(issuer: string): Promise<boolean>
  problem(issuer: string): string | undefined
}

/** Never a symmetric one: public keys are no secret. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519']
const clockToleranceSeconds = 60

/**
 * Says on which node of which cluster a token was valid at a time (milliseconds of the epoch). Does
 * not reject: whatever the token is, there is a verdict, and it repeats nothing of the token's text.
 */
export async function verifyToken(
  token: string,
  issuers: readonly TrustedIssuer[],
  keys: KeySource,
  at: number,
): Promise<TokenVerdict> {
  const trusted = issuers.find(({ issuer }) => issuer === issuerOf(token))
  if (trusted === undefined) return { kind: 'refused', reason: 'nobody trusts its issuer' }
  const { issuer, cluster } = trusted
  for (let attempt = 1; ; attempt += 1) {
    const set = trusted.keys ?? (await keys.get(issuer))
    if (set === undefined) {
      const reason = keys.problem(issuer) ?? 'its keys are not known'
      return { kind: 'unknown', issuer, cluster, reason }
    }
    try {
      const { payload } = await jwtVerify(token, createLocalJWKSet(set), {
        issuer,
        algorithms,
        audience: trusted.audience ?? defaultAudience,
        subject: trusted.subject ?? defaultSubject,
        currentDate: new Date(at),
        clockTolerance: clockToleranceSeconds,
        requiredClaims: ['exp', 'iat'],
      })
      return { kind: 'good', issuer, cluster, node: nodeOf(payload) }
    } catch (error) {
      const isNew = error instanceof errors.JWKSNoMatchingKey
      if (isNew && attempt === 1 && trusted.keys === undefined && (await keys.renew(issuer))) {
        continue
      }
      return { kind: 'refused', reason: reasonOf(error) }
    }
  }
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}

/** `kubernetes.io` → `node` → `name`, as Kubernetes binds tokens since 1.29. */
function nodeOf(payload: JWTPayload): string | undefined {
  const bound = payload['kubernetes.io'] as { readonly node?: { readonly name?: unknown } } | null
  const name = typeof bound === 'object' ? bound?.node?.name : undefined
  return typeof name === 'string' && name !== '' ? name : undefined
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'it had expired'
  if (error instanceof errors.JWTClaimValidationFailed) return `its ${error.claim} is another`
  if (error instanceof errors.JWKSNoMatchingKey) return 'its issuer has no such key'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong'
  return error instanceof errors.JOSEError
    ? `it is no good token (${error.code})`
    : 'it is no token'
}
