import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
} from '@aws-sdk/client-kinesis'
import kinesalite from 'kinesalite'
import { close, listen } from './listen.ts'

/** A service of AWS on this machine. */
export interface Emulator {
  readonly endpoint: string
  stop(): Promise<void>
}

/** Kinesis, in this process and its memory. It has no limits of throughput and serves no call by ARN. */
export async function startKinesisEmulator(): Promise<Emulator> {
  const service = kinesalite({
    createStreamMs: 0,
    deleteStreamMs: 0,
    updateStreamMs: 0,
    shardLimit: 200,
  })
  const port = await listen(service)
  return { endpoint: `http://127.0.0.1:${port}`, stop: () => close(service) }
}

/** Makes a stream, and waits until it takes records. */
export async function createStream(
  client: KinesisClient,
  name: string,
  shards: number,
): Promise<void> {
  await client.send(new CreateStreamCommand({ StreamName: name, ShardCount: shards }))
  for (;;) {
    const { StreamDescriptionSummary: found } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName: name }),
    )
    if (found?.StreamStatus === 'ACTIVE') return
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
