import { buildApp } from 'fauxqs'
import type { Emulator } from './kinesis.ts'
import { objectLock } from './object-lock.ts'
import { conditionalWrites } from './write-conditions.ts'

/**
 * S3, SNS and SQS behind one endpoint, in this process and its memory. Topics reach queues alone;
 * S3 knows conditional writes and Object Lock, and no versions.
 */
export async function startStorageAndMessages(): Promise<Emulator> {
  const app = buildApp({ logger: false })
  objectLock(app)
  conditionalWrites(app)
  const endpoint = await app.listen({ port: 0, host: '127.0.0.1' })
  return { endpoint, stop: () => app.close() }
}
