import { existsSync, statfsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Check } from '../machine.ts'
import { agentUser, whyNot } from './file-access.ts'

const TMPFS_MAGIC = 0x01021994
const mebibytes = (bytes: number) => `${Math.floor(bytes / 2 ** 20).toLocaleString('en')} MiB`

/** The directory where batches wait: there, usable for the agent, on a file system with room. */
export function checkSpool(directory: string, limit: number): readonly Check[] {
  const path = resolve(directory)
  return [checkDirectory(path), checkRoom(path, limit)]
}

function checkDirectory(path: string): Check {
  const name = 'spool directory'
  if (!existsSync(path)) {
    // `lanner agent` makes it as root; the directories above it are given as they are
    const above = nearestExisting(path)
    const reason = whyNot(above, ['enter'])
    return reason === ''
      ? { name, state: 'ok', found: `${path} is made when the agent starts as root`, advice: '' }
      : {
          name,
          state: 'missing',
          found: reason,
          advice: `chmod o+x ${above}, or set spool.directory`,
        }
  }
  if (!statSync(path).isDirectory()) {
    return { name, state: 'missing', found: `${path} is a file`, advice: 'set spool.directory' }
  }
  const reason = whyNot(path, ['read', 'write', 'enter'])
  if (reason === '') {
    return { name, state: 'ok', found: `${path}, writable for user ${agentUser.uid}`, advice: '' }
  }
  const advice = reason.includes('read-only')
    ? 'mount it writable, in Kubernetes as a hostPath volume of its own'
    : reason.includes('enter /') && !reason.endsWith(path)
      ? 'let everybody enter the directories above it (chmod o+x), or set spool.directory'
      : `chown ${agentUser.uid}:${agentUser.gid} ${path}; lanner agent does so when it starts as root`
  return { name, state: 'missing', found: reason, advice }
}

function checkRoom(path: string, limit: number): Check {
  const name = 'room for the spool'
  const { bavail, bsize, type } = statfsSync(nearestExisting(path))
  const free = bavail * bsize
  const found = `${mebibytes(free)} free, spool.limit is ${mebibytes(limit)}`
  if (free < limit) {
    const advice = 'free some, set spool.limit lower, or choose another file system'
    return { name, state: 'limited', found, advice }
  }
  if (type === TMPFS_MAGIC) {
    return {
      name,
      state: 'limited',
      found: `${found}; the file system is in memory`,
      advice: 'what waits does not outlive a reboot: use a directory on disk',
    }
  }
  return { name, state: 'ok', found, advice: '' }
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path))
}
