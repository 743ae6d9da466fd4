import type { DetectionMessage } from '../../../lambdas/shared/bus-messages.ts'
import { FleetNode } from '../../pipeline/fleet.ts'
import { Pipeline } from '../../pipeline/pipeline.ts'
import { quantile, type Table } from '../figures.ts'

const rates = [1, 50]
const seconds = 20

/** From a record put into the stream to its detection on the bus, with the real handler on this machine. */
export async function latency(): Promise<Table[]> {
  const rows: string[][] = []
  for (const rate of rates) {
    const times = await measure(rate)
    const cells = [0.5, 0.99].map((share) => quantile(times, share).toFixed(0))
    rows.push([`${rate}`, `${times.length}`, ...cells])
  }
  return [
    {
      title: 'Stream to bus',
      note: 'Emulators and function share this machine; the window of the mapping is off, a shard is looked at every 20 ms.',
      columns: ['records/s', 'detections', 'median ms', 'p99 ms'],
      rows,
    },
  ]
}

async function measure(rate: number): Promise<number[]> {
  const pipeline = await Pipeline.start()
  try {
    // the cold start is measured by itself
    await pipeline.put([new FleetNode('warm').batch(BigInt(Date.now()) * 1_000_000n, 20, 1)])
    await pipeline.stack.settle()
    const sent = new Map<string, number>()
    const times: number[] = []
    await pipeline.stack.listen('bus', { 'detail-type': ['Detection'] }, ({ detail }) => {
      const { detection } = detail as unknown as DetectionMessage
      const at = sent.get(detection.lanner.node)
      if (at !== undefined) times.push(performance.now() - at)
    })
    for (let count = 0; count < rate * seconds; count++) {
      // a node of its own for each record, so that each opens an incident
      const name = `${String.fromCharCode(97 + (count % 26))}${count}`
      const batch = new FleetNode(name).batch(BigInt(Date.now()) * 1_000_000n, 20, 1)
      sent.set(name, performance.now())
      await pipeline.put([batch])
      await new Promise((resolve) => setTimeout(resolve, 1000 / rate))
    }
    await pipeline.stack.settle(60_000)
    return times
  } finally {
    await pipeline.stop()
  }
}
