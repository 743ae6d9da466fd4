import { type Io, UsageError } from './io.ts'
import { printable } from './printable.ts'

/** What every client of a command is made with: a network that is away is told, not waited for. */
export const clientOptions = {
  requestHandler: {
    ...{ connectionTimeout: 5000, requestTimeout: 30_000, throwOnRequestTimeout: true },
  },
}

/** Why a command does not do what it is asked to: its message is for people, and it exits with 1. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

/**
 * Runs what a command does in AWS. A {@link Refused} is said and gives 1; that AWS cannot be asked, or does
 * not allow it, is said with what to do about it and gives 2. Anything else is a mistake of ours, and thrown.
 */
export async function inAws(name: string, io: Io, work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof UsageError) throw error
    const problem = error instanceof Refused ? error.message : awsProblem(error)
    if (problem === undefined) throw error
    io.err(`lanner ${name}: ${problem.split('\n').map(printable).join('\n')}\n`)
    return error instanceof Refused ? 1 : 2
  }
}

interface AwsError extends Error {
  readonly code?: unknown
  readonly Resource?: unknown
  readonly BucketName?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number }
}

const unreachable =
  /^(ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|TimeoutError)$/
const badCredentials =
  /^(ExpiredToken(Exception)?|InvalidClientTokenId|InvalidAccessKeyId|SignatureDoesNotMatch|UnrecognizedClientException|InvalidSignatureException|TokenRefreshRequired)$/

/** What went wrong in AWS, and what to do about it; `undefined` when it is nothing of AWS. */
export function awsProblem(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { name, message, code, $metadata, ...more } = error as AwsError
  const status = $metadata?.httpStatusCode
  if (name === 'CredentialsProviderError' || /could not load credentials/i.test(message)) {
    return `there are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (${message})`
  }
  if (message === 'Region is missing') return 'there is no AWS region: set AWS_REGION'
  if (unreachable.test(name) || unreachable.test(String(code))) {
    return `AWS does not answer: ${message || String(code)}`
  }
  if (badCredentials.test(name)) return `AWS does not take the credentials: ${name}: ${message}`
  if (name === 'NoSuchBucket') {
    const bucket = more.BucketName
    return typeof bucket === 'string'
      ? `there is no bucket "${bucket}"`
      : `there is no such bucket: ${message}`
  }
  if (status === 403 || /^AccessDenied/.test(name)) return `access is denied: ${message || name}`
  if (status !== undefined) return `AWS answers ${status} ${name}: ${message}`
  return undefined
}
