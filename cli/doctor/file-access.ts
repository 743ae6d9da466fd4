import { accessSync, constants, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** A user as far as file permissions go; groups beside its own are not known. */
export interface FileUser {
  readonly uid: number
  readonly gid: number
}

/** User and group that the sensor gives the agent. */
export const agentUser: FileUser = { uid: 65534, gid: 65534 }

const bits = { read: 4, write: 2, enter: 1 } as const

/**
 * Why a user may not use a file or directory like this, by owner and mode; "" when it may. Access
 * lists are not looked at.
 */
export function whyNot(
  path: string,
  wanted: readonly (keyof typeof bits)[],
  user: FileUser = agentUser,
): string {
  let stats: Stats
  try {
    stats = statSync(path)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? `${path} does not exist`
      : `${path}: ${error instanceof Error ? error.message : error}`
  }
  for (let at = dirname(path); ; at = dirname(at)) {
    if (!allows(statSync(at), ['enter'], user)) return `user ${user.uid} may not enter ${at}`
    if (at === '/') break
  }
  const refused = wanted.filter((each) => !allows(stats, [each], user))
  if (refused.length > 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(3, '0')
    return `user ${user.uid} may not ${refused.join(' or ')} ${path} (owner ${stats.uid}:${stats.gid}, mode ${mode})`
  }
  return wanted.includes('write') && isReadOnly(path) ? `${path} is on a read-only file system` : ''
}

function allows(
  { uid, gid, mode }: Stats,
  wanted: readonly (keyof typeof bits)[],
  user: FileUser,
): boolean {
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0
  return wanted.every((each) => ((mode >> shift) & bits[each]) !== 0)
}

function isReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS'
  }
}
