/**
 * Appends to a spool and releases from it as fast as it can, until it is killed; tells each append
 * and release that is done. Usage: spool-filler.ts DIRECTORY RUN
 */
import { writeSync } from 'node:fs'
import { Spool } from '../collector/agent/spool.ts'
import { makeBatch } from './batches.ts'

const [directory, run] = process.argv.slice(2)
const spool = await Spool.open({ directory: directory!, segmentBytes: 32 << 10 })
let sequence = spool.last === undefined ? 0 : spool.last.sequence + 1
for (;;) {
  // Every fourth is large: a write of many pages can be cut by the kill.
  const fill = sequence % 4 === 0 ? 1_000_000 : (sequence * 977) % 9000
  await spool.append(makeBatch({ run: BigInt(run!), sequence, fill }))
  writeSync(1, `appended ${sequence}\n`)
  sequence += 1
  if (sequence % 3 !== 0) continue
  const entries = await spool.next(2, 1 << 20)
  writeSync(1, `shipped ${entries.map(({ header }) => header.sequence).join(' ')}\n`)
  await spool.release(entries.at(-1)!.index)
  writeSync(1, `released ${entries.at(-1)!.header.sequence}\n`)
}
