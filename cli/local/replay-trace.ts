import { readFileSync } from 'node:fs'
import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { FrameReader, readHeader } from '#events'
import { traceFiles } from '../trace-file.ts'

/** Records that a call takes, and bytes of them. */
const mostRecords = 500
const mostBytes = 4 << 20

/** Puts the batches of a trace into a stream as their nodes would; gives how many. */
export async function replayTrace(
  client: KinesisClient,
  stream: string,
  path: string,
): Promise<number> {
  let put = 0
  let records: { PartitionKey: string; Data: Uint8Array }[] = []
  let bytes = 0
  const send = async () => {
    if (records.length === 0) return
    const command = new PutRecordsCommand({ StreamName: stream, Records: records })
    const { FailedRecordCount = 0 } = await client.send(command)
    if (FailedRecordCount > 0) throw new Error(`the stream refused ${FailedRecordCount} batches`)
    put += records.length
    records = []
    bytes = 0
  }
  for (const file of traceFiles(path)) {
    const reader = new FrameReader()
    for (const batch of reader.push(readFileSync(file))) {
      if (records.length === mostRecords || bytes + batch.length > mostBytes) await send()
      records.push({ PartitionKey: readHeader(batch).node || 'node', Data: batch })
      bytes += batch.length
    }
    reader.end()
  }
  await send()
  return put
}
