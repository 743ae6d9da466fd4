import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3'
import { readSenders, sendersKey, type TrustedSenders } from './read-senders.ts'

/**
 * Reads whom to believe; nobody when the operator has said nothing. Rejects for a list with mistakes, with
 * all of them.
 */
export async function readTrustedSenders(s3: S3Client, bucket: string): Promise<TrustedSenders> {
  let text: string
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: sendersKey }))
    text = await Body!.transformToString()
  } catch (error) {
    if (error instanceof NoSuchKey) return { issuers: [], enrolled: [] }
    throw error
  }
  const { ok, trusted, diagnostics } = readSenders({ name: sendersKey, text })
  if (ok) return trusted
  const all = diagnostics.map(({ at, message }) => `${at.line}:${at.column}: ${message}`)
  throw new Error(`${sendersKey}: ${all.join('; ')}`)
}
