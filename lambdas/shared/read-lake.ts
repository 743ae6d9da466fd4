import { zstdDecompressSync } from 'node:zlib'
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import type { Detection } from './detection.ts'
import { detectionsPrefix } from './lake.ts'

/** Bytes that an object of detections may have when read: one invocation writes far less. */
const mostBytes = 256 << 20
/** Hours that are looked through for one incident. */
const mostHours = 24 * 31

/**
 * The detections of an incident, in the order of their events, each once. `from` and `to` (ISO 8601) are
 * when the first and the last of them were judged; they are filed by when they arrived, a little before.
 * What an hour holds is read object by object.
 */
export async function readDetections(
  { s3, bucket }: { readonly s3: S3Client; readonly bucket: string },
  { incident, from, to }: { readonly incident: string; readonly from: string; readonly to: string },
): Promise<readonly Detection[]> {
  const found = new Map<string, Detection>()
  for (const prefix of prefixesBetween(from, to)) {
    for await (const key of keysBelow(s3, bucket, prefix)) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
      const bytes = await Body!.transformToByteArray()
      const text = zstdDecompressSync(bytes, { maxOutputLength: mostBytes }).toString()
      for (const line of text.split('\n')) {
        if (!line.includes(incident)) continue
        const detection = JSON.parse(line) as Detection
        if (detection.lanner.incident === incident) found.set(detection.lanner.id, detection)
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
}

function prefixesBetween(from: string, to: string): string[] {
  const hour = 3_600_000
  const first = Math.floor(Date.parse(from) / hour) - 1
  const last = Math.floor(Date.parse(to) / hour)
  const hours = Math.min(last - first + 1, mostHours)
  return Array.from({ length: Math.max(0, hours) }, (_, at) =>
    detectionsPrefix(new Date((first + at) * hour).toISOString()),
  )
}

async function* keysBelow(s3: S3Client, Bucket: string, Prefix: string): AsyncGenerator<string> {
  let ContinuationToken: string | undefined
  do {
    const page = await s3.send(
      new ListObjectsV2Command({
        ...{ Bucket, Prefix },
        ...(ContinuationToken !== undefined && { ContinuationToken }),
      }),
    )
    for (const { Key } of page.Contents ?? []) yield Key!
    ContinuationToken = page.NextContinuationToken
  } while (ContinuationToken !== undefined)
}
