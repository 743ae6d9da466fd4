import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { playWorkload } from '../workload.ts'

/** Plays the mixed workload of `workload.ts` some times, two of them at once. */
export async function playMixedLoad(times: number): Promise<void> {
  const play = async () => {
    const directory = mkdtempSync(join(tmpdir(), 'lanner-bench-'))
    try {
      for (let i = 0; i < times; i++) await playWorkload(directory)
    } finally {
      rmSync(directory, { recursive: true })
    }
  }
  await Promise.all([play(), play()])
}
