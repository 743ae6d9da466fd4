import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { S3Evidence } from '../../../lambdas/respond/evidence/s3-evidence.ts'
import { localCredentials } from '../clients.ts'
import { startStorageAndMessages } from './fauxqs.ts'

const Bucket = 'locked'
let emulator: Awaited<ReturnType<typeof startStorageAndMessages>>
let s3: S3Client

beforeAll(async () => {
  emulator = await startStorageAndMessages()
  s3 = client()
  await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }))
  await s3.send(new CreateBucketCommand({ Bucket: 'open' }))
  const DefaultRetention = { Mode: 'GOVERNANCE', Days: 90 } as const
  const ObjectLockConfiguration = {
    ObjectLockEnabled: 'Enabled',
    Rule: { DefaultRetention },
  } as const
  await s3.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }))
})
afterAll(async () => {
  s3.destroy()
  await emulator.stop()
})

function client(more: object = {}): S3Client {
  return new S3Client({
    ...{ endpoint: emulator.endpoint, region: 'us-east-1', credentials: localCredentials },
    ...{ forcePathStyle: true, maxAttempts: 1, ...more },
  })
}
const put = (Key: string, Body: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body }))

it('holds evidence for the retention of its bucket, and keeps what was there first', async () => {
  const evidence = new S3Evidence(s3, Bucket)
  await evidence.putOnce('evidence/a', Buffer.from('first'))
  await evidence.putOnce('evidence/a', Buffer.from('second'))
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'evidence/a' }))
  expect(await got.Body!.transformToString()).toBe('first')
  expect(got.ObjectLockMode).toBe('GOVERNANCE')
  const days = (got.ObjectLockRetainUntilDate!.getTime() - Date.now()) / 86_400_000
  expect(days).toBeGreaterThan(89.9)
  expect(days).toBeLessThanOrEqual(90)
})

it('lets nobody delete or cover what is held, unless they may bypass governance', async () => {
  await put('b', 'x')
  const remove = (more: object) => s3.send(new DeleteObjectCommand({ Bucket, Key: 'b', ...more }))
  await expect(remove({ VersionId: 'v1' })).rejects.toMatchObject({ name: 'AccessDenied' })
  await expect(remove({})).rejects.toMatchObject({ name: 'NotImplemented' })
  await expect(put('b', 'y')).rejects.toMatchObject({ name: 'NotImplemented' })
  await remove({ BypassGovernanceRetention: true })
  await put('b', 'z')
})

it('takes no write without a checksum there, and any elsewhere', async () => {
  const plain = client({ requestChecksumCalculation: 'WHEN_REQUIRED' })
  const send = (bucket: string) =>
    plain.send(new PutObjectCommand({ Bucket: bucket, Key: 'c', Body: 'x' }))
  await expect(send(Bucket)).rejects.toMatchObject({ name: 'InvalidRequest' })
  await send('open')
  // evidence brings its own, however its client is set
  await new S3Evidence(plain, Bucket).putOnce('evidence/c', Buffer.from('x'))
  plain.destroy()
})

it('knows which bucket is locked, and locks none afterwards', async () => {
  const read = (bucket: string) =>
    s3.send(new GetObjectLockConfigurationCommand({ Bucket: bucket }))
  const { ObjectLockConfiguration } = await read(Bucket)
  expect(ObjectLockConfiguration?.Rule?.DefaultRetention).toMatchObject({
    ...{ Mode: 'GOVERNANCE', Days: 90 },
  })
  const late = new PutObjectLockConfigurationCommand({ Bucket: 'open', ObjectLockConfiguration })
  await expect(s3.send(late)).rejects.toMatchObject({ name: 'InvalidBucketState' })
})
