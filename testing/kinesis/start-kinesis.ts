import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { createStream, startKinesisEmulator } from '../../infra/local/emulators/kinesis.ts'
import { close, listen } from '../../infra/local/emulators/listen.ts'
import { testCredentials } from '../aws/faults.ts'
import { createKinesisProxy } from './fault-proxy.ts'
import { type Counts, type Faults, noFaults } from './faults.ts'
import type { ShardRange } from './shard-limits.ts'

/** A record as a consumer sees it. */
export interface StoredRecord {
  readonly shardId: string
  readonly partitionKey: string
  readonly sequenceNumber: string
  readonly data: Uint8Array
}

/** A Kinesis in this process that can be made to fail. */
export interface TestKinesis {
  /** For clients under test: through the faults. Any region and credentials do. */
  readonly endpoint: string
  readonly faults: Faults
  readonly counts: Counts
  createStream(name: string, shards?: number): Promise<void>
  /** Everything in a stream, shard by shard, in order. Not through the faults. */
  readAll(stream: string): Promise<StoredRecord[]>
  /** Refuses connections, and breaks those there are, until {@link accept}. */
  refuse(): Promise<void>
  accept(): Promise<void>
  stop(): Promise<void>
}

export { testCredentials }

/** Starts the emulator, without faults, on a free port. */
export async function startKinesis(): Promise<TestKinesis> {
  const emulator = await startKinesisEmulator()
  const target = emulator.endpoint
  const client = new KinesisClient({
    region: 'us-east-1',
    endpoint: target,
    credentials: testCredentials,
    requestHandler: new NodeHttpHandler(),
  })
  const faults: Faults = { ...noFaults }
  const counts: Counts = { requests: 0, failed: 0, dropped: 0, passed: 0, throttled: 0 }
  const shardsOf = (stream: string) => openShards(client, stream)
  const proxy = createKinesisProxy({ target, faults, counts, shardsOf })
  const port = await listen(proxy)
  return {
    endpoint: `http://127.0.0.1:${port}`,
    faults,
    counts,
    createStream: (name, shards = 1) => createStream(client, name, shards),
    readAll: (stream) => readAll(client, stream),
    refuse: () => close(proxy),
    async accept() {
      await listen(proxy, port)
    },
    async stop() {
      client.destroy()
      await close(proxy)
      await emulator.stop()
    },
  }
}

async function openShards(client: KinesisClient, stream: string): Promise<ShardRange[]> {
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: stream }))
  return Shards.filter(
    (shard) => shard.SequenceNumberRange?.EndingSequenceNumber === undefined,
  ).map(({ ShardId, HashKeyRange }) => ({
    shardId: ShardId!,
    start: BigInt(HashKeyRange!.StartingHashKey!),
    end: BigInt(HashKeyRange!.EndingHashKey!),
  }))
}

async function readAll(client: KinesisClient, stream: string): Promise<StoredRecord[]> {
  const found: StoredRecord[] = []
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: stream }))
  for (const { ShardId: shardId } of Shards) {
    let { ShardIterator: iterator } = await client.send(
      new GetShardIteratorCommand({
        StreamName: stream,
        ShardId: shardId!,
        ShardIteratorType: 'TRIM_HORIZON',
      }),
    )
    while (iterator !== undefined) {
      const { Records = [], NextShardIterator } = await client.send(
        new GetRecordsCommand({ ShardIterator: iterator }),
      )
      for (const { PartitionKey, SequenceNumber, Data } of Records) {
        found.push({
          shardId: shardId!,
          partitionKey: PartitionKey!,
          sequenceNumber: SequenceNumber!,
          data: Data!,
        })
      }
      // An open shard has no end: an empty answer is all there is.
      iterator = Records.length === 0 ? undefined : NextShardIterator
    }
  }
  return found
}
