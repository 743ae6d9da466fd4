/**
 * A Kinesis emulator in a process of its own, so that its cost is not the agent's. Says its endpoint,
 * and on every message sends all records of the stream.
 */
import { GetRecordsCommand, GetShardIteratorCommand, KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { startKinesis, testCredentials } from '#testing/kinesis/start-kinesis.ts'

/** A record and when the stream took it, milliseconds since the epoch. */
export interface ArrivedRecord {
  readonly data: Uint8Array
  readonly arrivedAt: number
}

const stream = process.argv[2]!
const kinesis = await startKinesis()
await kinesis.createStream(stream)
const client = new KinesisClient({
  region: 'us-east-1',
  endpoint: kinesis.endpoint,
  credentials: testCredentials,
  requestHandler: new NodeHttpHandler(),
})

async function readAll(): Promise<ArrivedRecord[]> {
  const found: ArrivedRecord[] = []
  const first = new GetShardIteratorCommand({
    StreamName: stream,
    ShardId: 'shardId-000000000000',
    ShardIteratorType: 'TRIM_HORIZON',
  })
  let { ShardIterator: iterator } = await client.send(first)
  while (iterator !== undefined) {
    const answer = await client.send(new GetRecordsCommand({ ShardIterator: iterator }))
    const records = answer.Records ?? []
    for (const { Data, ApproximateArrivalTimestamp: at } of records) {
      found.push({ data: Data!, arrivedAt: at!.getTime() })
    }
    // an open shard has no end: an empty answer is all there is
    iterator = records.length === 0 ? undefined : answer.NextShardIterator
  }
  return found
}

process.on('message', async () => process.send!(await readAll()))
process.on('disconnect', () => process.exit(0))
process.send!(kinesis.endpoint)
