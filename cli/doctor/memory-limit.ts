import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Check } from '../machine.ts'

/** What a collector is given in Kubernetes: its working set, and room for a burst. */
const enough = 128 * 2 ** 20

/** Of the group that this process runs in, and of those around it. */
export function checkMemoryLimit(
  groups = readText('/proc/self/cgroup'),
  mounts = '/sys/fs/cgroup',
): Check {
  const name = 'memory limit'
  const limit = Math.min(...limitsOf(groups, mounts))
  if (!Number.isFinite(limit)) {
    return { name, state: 'ok', found: 'none on this process and what it starts', advice: '' }
  }
  const found = `${Math.floor(limit / 2 ** 20)} MiB for this process and what it starts`
  if (limit >= enough) return { name, state: 'ok', found, advice: '' }
  const advice = `give the collector ${enough / 2 ** 20}Mi: below its working set it is killed and starts again`
  return { name, state: 'limited', found, advice }
}

function limitsOf(groups: string, mounts: string): number[] {
  const limits: number[] = []
  for (const line of groups.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    const isUnified = controllers === ''
    if (path === undefined || (!isUnified && !controllers?.split(',').includes('memory'))) continue
    const [root, file] = isUnified
      ? [mounts, 'memory.max']
      : [join(mounts, 'memory'), 'memory.limit_in_bytes']
    for (let at = path; ; at = dirname(at)) {
      const bytes = Number.parseInt(readText(join(root, at, file)), 10)
      // version 1 says "none" with a number that no machine has
      if (bytes < 2 ** 60) limits.push(bytes)
      if (at === '/') break
    }
  }
  return limits
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
