import { startFauxqs } from 'fauxqs'
import type { Emulator } from './kinesis.ts'

/**
 * S3, SNS and SQS behind one endpoint, in this process and its memory. Topics reach queues alone;
 * S3 knows no conditional writes, versions and locks.
 */
export async function startStorageAndMessages(): Promise<Emulator> {
  const server = await startFauxqs({ port: 0, logger: false })
  return { endpoint: `http://127.0.0.1:${server.port}`, stop: () => server.stop() }
}
