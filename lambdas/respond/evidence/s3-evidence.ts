import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import type { EvidenceStore } from '../machine/ports.ts'

/**
 * Evidence in a bucket with Object Lock: what lies there cannot be changed, and is never overwritten. How
 * long it is held is the bucket's own setting: the function has no right to change it, nor to go around it.
 */
export class S3Evidence implements EvidenceStore {
  readonly #s3: S3Client
  readonly #bucket: string

  constructor(s3: S3Client, bucket: string) {
    this.#s3 = s3
    this.#bucket = bucket
  }

  async putOnce(Key: string, Body: Uint8Array): Promise<void> {
    try {
      await this.#s3.send(
        new PutObjectCommand({
          ...{ Bucket: this.#bucket, Key, Body, IfNoneMatch: '*' },
          // a bucket with Object Lock takes nothing without one, however the client is set
          ChecksumAlgorithm: 'SHA256',
        }),
      )
    } catch (error) {
      const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata
        ?.httpStatusCode
      // it is there already, or somebody writes it at this moment
      if (status !== 412 && status !== 409) throw error
    }
  }

  async get(Key: string): Promise<Uint8Array | undefined> {
    try {
      const { Body } = await this.#s3.send(new GetObjectCommand({ Bucket: this.#bucket, Key }))
      return await Body!.transformToByteArray()
    } catch (error) {
      if ((error as Error).name === 'NoSuchKey') return undefined
      throw error
    }
  }
}
