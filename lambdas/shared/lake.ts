import { zstdCompressSync } from 'node:zlib'
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { alertJson } from '#engine'
import type { Detection } from './detection.ts'

/** Prefix of the detections of the hour of a time (ISO 8601). */
export function detectionsPrefix(time: string): string {
  const [, year, month, day, hour] = /^(\d{4})-(\d\d)-(\d\d)T(\d\d)/.exec(time) ?? []
  if (hour === undefined) throw new RangeError(`${time} is no time`)
  return `detections/year=${year}/month=${month}/day=${day}/hour=${hour}/`
}

/**
 * Writes detections to the lake as one object of compressed JSON lines, in the hour of `time`. The same
 * `name` writes the same object again. A retry of part of an invocation may write a detection into a
 * second object: readers count ids.
 */
export async function writeDetections(
  { s3, bucket }: { readonly s3: S3Client; readonly bucket: string },
  detections: readonly Detection[],
  { time, name }: { readonly time: string; readonly name: string },
): Promise<void> {
  if (detections.length === 0) return
  const lines = detections.map((detection) => `${alertJson(detection)}\n`).join('')
  const Body = zstdCompressSync(lines)
  const Key = `${detectionsPrefix(time)}${name}.ndjson.zst`
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }))
}
