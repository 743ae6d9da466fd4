import { readFileSync } from 'node:fs'

/**
 * Memory that this process has written, bytes; 0 where the system does not say. Pages of the Node
 * binary are left out: whether they count as shared depends on what else runs.
 */
export function privateMemory(): number {
  try {
    const text = readFileSync('/proc/self/smaps_rollup', 'utf8')
    let kilobytes = 0
    for (const [, amount] of text.matchAll(/^Private_Dirty:\s+(\d+) kB$/gm)) {
      kilobytes += Number(amount)
    }
    return kilobytes * 1024
  } catch {
    return 0
  }
}
