import { readFileSync } from 'node:fs'

/** Memory of this process that no other shares, bytes; 0 where the system does not say. */
export function privateMemory(): number {
  try {
    const text = readFileSync('/proc/self/smaps_rollup', 'utf8')
    let kilobytes = 0
    for (const [, amount] of text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)) {
      kilobytes += Number(amount)
    }
    return kilobytes * 1024
  } catch {
    return 0
  }
}
