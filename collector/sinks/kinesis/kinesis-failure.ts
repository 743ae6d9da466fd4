import type { Outcome } from '../batch-sink.ts'

const throttles = new Set([
  'ProvisionedThroughputExceededException',
  'LimitExceededException',
  'KMSThrottlingException',
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'RequestLimitExceeded',
])

/** Errors of the network as Node and the SDK name them. */
const noAnswer =
  /^(E[A-Z]+|TimeoutError|AbortError|UND_ERR_[A-Z_]+|ERR_(SSL|TLS|SOCKET|STREAM|HTTP)[A-Z0-9_]*|(CERT|UNABLE|SELF_SIGNED|DEPTH_ZERO)_[A-Z_]+)$/

/** The parts of an SDK error that are looked at. */
interface SdkError {
  readonly name?: string
  readonly message?: string
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean }
}

/** What the failure of a whole request means for its batches. Never a reason to drop them all. */
export function outcomeOf(error: unknown, stream: string): Outcome {
  const { name = 'Error', message = '', code, $metadata } = error as SdkError
  const status = $metadata?.httpStatusCode
  const text = `Kinesis stream ${stream}: ${code ?? name}: ${message || 'no more is known'}`
  if (throttles.has(name) || status === 429) return { kind: 'throttled', message: text }
  // The clock of this machine was stepped; the SDK signs by the service's clock from now on.
  if ($metadata?.clockSkewCorrected) return { kind: 'failed', message: text }
  if (name === 'CredentialsProviderError') {
    const where = 'EKS Pod Identity, IRSA, environment, profile or instance role'
    return { kind: 'denied', message: `no AWS credentials from ${where}: ${message}` }
  }
  if (/^region is missing/i.test(message)) {
    return { kind: 'denied', message: 'no AWS region is set: give one, or set AWS_REGION' }
  }
  if (status === undefined) {
    const isNetwork = noAnswer.test(code ?? '') || noAnswer.test(name)
    return { kind: isNetwork ? 'unreachable' : 'failed', message: text }
  }
  // A wrong name of the stream is a validation error too, and not the fault of a batch.
  if (name === 'ValidationException' && /'records\.\d+\.member\.data'/i.test(message)) {
    return { kind: 'refused', message: text }
  }
  return { kind: status >= 500 || status < 400 ? 'failed' : 'denied', message: text }
}

/** What the answer says of one record. */
export function outcomeOfRecord(
  record: { readonly ErrorCode?: string | undefined; readonly ErrorMessage?: string | undefined },
  stream: string,
): Outcome {
  const { ErrorCode: code, ErrorMessage: message } = record
  if (code === undefined) return { kind: 'sent' }
  return {
    kind: throttles.has(code) ? 'throttled' : 'failed',
    message: `Kinesis stream ${stream}: ${code}: ${message ?? 'no more is known'}`,
  }
}
