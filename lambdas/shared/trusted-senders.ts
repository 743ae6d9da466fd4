import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3'
import type { EnrolledKey, TrustedIssuer } from './senders/index.ts'

/** Where the operator says whom to believe, in the bucket of rules. */
export const trustedSendersKey = 'senders.json'

/** Whose word is taken: issuers of clusters, and keys of nodes outside Kubernetes. */
export interface TrustedSenders {
  readonly issuers: readonly TrustedIssuer[]
  readonly enrolled: readonly EnrolledKey[]
}

/** Reads whom to believe; nobody when the operator has said nothing. */
export async function readTrustedSenders(s3: S3Client, bucket: string): Promise<TrustedSenders> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: trustedSendersKey }))
    const { issuers = [], enrolled = [] } = JSON.parse(await Body!.transformToString())
    return { issuers, enrolled }
  } catch (error) {
    if (error instanceof NoSuchKey) return { issuers: [], enrolled: [] }
    throw error
  }
}
