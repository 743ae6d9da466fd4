import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { localCredentials } from '../clients.ts'
import { startStorageAndMessages } from './fauxqs.ts'

const Bucket = 'some'
let emulator: Awaited<ReturnType<typeof startStorageAndMessages>>
let s3: S3Client

beforeAll(async () => {
  emulator = await startStorageAndMessages()
  const { endpoint } = emulator
  s3 = new S3Client({
    ...{ endpoint, region: 'us-east-1', credentials: localCredentials },
    ...{ forcePathStyle: true, maxAttempts: 1 },
  })
  await s3.send(new CreateBucketCommand({ Bucket }))
})
afterAll(async () => {
  s3.destroy()
  await emulator.stop()
})

const put = (Key: string, Body: string, condition: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...condition }))
const get = async (Key: string) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
  return Body!.transformToString()
}

it('takes a write only over what it names', async () => {
  const first = await put('a', 'one', { IfNoneMatch: '*' })
  await expect(put('a', 'two', { IfNoneMatch: '*' })).rejects.toMatchObject({
    ...{ name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } },
  })
  const second = await put('a', 'two', { IfMatch: first.ETag })
  await expect(put('a', 'three', { IfMatch: first.ETag })).rejects.toMatchObject({
    name: 'PreconditionFailed',
  })
  expect(await get('a')).toBe('two')
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }))
  await expect(put('a', 'x', { IfMatch: second.ETag })).rejects.toMatchObject({ name: 'NoSuchKey' })
})

it('takes one of many at once, and each of those without a condition', async () => {
  const { ETag } = await put('b', 'begin')
  const tries = await Promise.allSettled(
    Array.from({ length: 20 }, (_, at) => put('b', `${at}`, { IfMatch: ETag })),
  )
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const winner = tries.findIndex(({ status }) => status === 'fulfilled')
  expect(await get('b')).toBe(`${winner}`)
  await Promise.all(Array.from({ length: 20 }, (_, at) => put('b', `${at}`)))
  await expect(put('b', 'x', { IfNoneMatch: 'abc' })).rejects.toThrow('can only be')
})
