import { clip, visible } from '../content/index.ts'
import { DeliveryProblem } from './problem.ts'

interface AwsError extends Error {
  readonly $fault?: 'client' | 'server'
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $retryable?: { readonly throttling?: boolean }
}

/** An error of an AWS client as what it means for a message. */
export function awsProblem(error: unknown): DeliveryProblem {
  if (error instanceof DeliveryProblem) return error
  const { name, message, $metadata, $fault, $retryable } = error as AwsError
  const said = `${name}: ${clip(visible(message), 300)}`
  const cause = { cause: error }
  const status = $metadata?.httpStatusCode
  if ($retryable?.throttling === true || /Throttl|TooManyRequests|LimitExceeded/.test(name)) {
    return new DeliveryProblem('later', said, { ...cause, waitMs: 5000 })
  }
  if (/NotFound/.test(name)) return new DeliveryProblem('gone', said, cause)
  const isRefused =
    /AuthorizationError|AccessDenied|InvalidAccess|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|ExpiredToken|KMS|CredentialsProvider/.test(
      name,
    )
  if (isRefused || status === 401 || status === 403) {
    return new DeliveryProblem('refused', said, cause)
  }
  const isRejected = $fault === 'client' && status !== undefined && status < 500
  if (isRejected) return new DeliveryProblem('rejected', said, cause)
  return new DeliveryProblem('failed', said, { ...cause, isUnsure: true })
}
