/**
 * An agent in small: appends batches to a spool and ships them, until it is killed. On SIGTERM it
 * flushes. Usage: shipping-child.ts DIRECTORY ENDPOINT STREAM
 */
import { writeSync } from 'node:fs'
import { Spool } from '../../collector/agent/spool.ts'
import { KinesisSink } from '../../collector/sinks/kinesis/kinesis-sink.ts'
import { Shipper } from '../../collector/sinks/shipper.ts'
import { makeBatch } from '../batches.ts'
import { testCredentials } from './start-kinesis.ts'

const [directory, endpoint, stream] = process.argv.slice(2) as [string, string, string]
const spool = await Spool.open({ directory, segmentBytes: 16 << 10 })
const sink = new KinesisSink({
  stream,
  endpoint,
  region: 'us-east-1',
  credentials: testCredentials,
  maxBatches: 10,
})
const shipper = new Shipper({
  spool,
  sink,
  announce: (message) => writeSync(2, `${message}\n`),
  backOff: { firstMs: 5, maxMs: 50 },
})
shipper.start()
let isEnding = false
process.once('SIGTERM', () => {
  isEnding = true
})
let sequence = spool.last === undefined ? 0 : spool.last.sequence + 1
while (!isEnding) {
  await spool.append(makeBatch({ sequence, fill: (sequence * 977) % 3000 }))
  writeSync(1, `${sequence}\n`)
  sequence += 1
  shipper.wake()
  if (sequence % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
}
const isEmpty = await shipper.flush(20_000)
await sink.close()
await spool.close()
process.exit(isEmpty ? 0 : 1)
