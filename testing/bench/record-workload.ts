import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SyscallEvent } from '#events'
import { readTrace } from '../../cli/trace-file.ts'
import { lanner } from '../live/watcher.ts'
import { playWorkload } from './workload.ts'

/** Records a mixed workload on this machine, and gives its events. */
export async function recordWorkload(): Promise<SyscallEvent[]> {
  const directory = mkdtempSync(join(tmpdir(), 'lanner-bench-'))
  const trace = join(directory, 'trace')
  try {
    const recorder = spawn(lanner, ['record', '--out', trace], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    await new Promise<void>((resolve, reject) => {
      recorder.on('exit', () => reject(new Error(`lanner record: ${said}`)))
      recorder.stderr.on('data', (text) => {
        said += text
        if (said.includes('recording')) resolve()
      })
    })
    await playWorkload(directory)
    recorder.kill('SIGINT')
    await once(recorder, 'close')
    const events: SyscallEvent[] = []
    for (const batch of readTrace(trace, (error) => {
      throw error
    })) {
      events.push(...batch.events)
    }
    return events
  } finally {
    rmSync(directory, { recursive: true })
  }
}
