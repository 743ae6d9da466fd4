import { closeSync, openSync, readSync } from 'node:fs'

/** Processes looked at, and bytes read of a table: a pod has one network, so that the first tell of all. */
const mostProcesses = 32
const mostBytes = 256 << 10
/** Established, and those of which one side is closed: TCP_ESTABLISHED, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT. */
const live = new Set(['01', '04', '05', '08'])
const tables = ['tcp', 'tcp6', 'udp', 'udp6']

/**
 * How many connections to others these processes' networks hold, by the kernel's own tables: of TCP, and UDP sockets that
 * have a peer. Talk with itself does not count. `undefined` when no table could be read, or there is none in what was read of a longer one.
 */
export function countConnections(pids: readonly number[], proc = '/proc'): number | undefined {
  const inodes = new Set<string>()
  let isKnown = pids.length === 0
  let isCut = false
  for (const pid of pids.slice(0, mostProcesses)) {
    for (const table of tables) {
      const text = readTable(`${proc}/${pid}/net/${table}`)
      if (text !== undefined) isKnown = true
      if (text?.length === mostBytes) isCut = true
      for (const inode of heldIn(text ?? '')) inodes.add(inode)
    }
  }
  return isKnown && !(isCut && inodes.size === 0) ? inodes.size : undefined
}

/** Inodes of the sockets of a table that lead to others and that a process holds. */
function heldIn(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [, local = '', remote = '', state = '', , , , , , inode = '0'] = line.trim().split(/\s+/)
    if (!live.has(state) || inode === '0') return []
    const [to = ''] = remote.split(':')
    const isItself = to === local.split(':')[0] || isLoopback(to)
    return isItself ? [] : [inode]
  })
}

/** Addresses are hexadecimal, in words of the machine's own order: of a little endian one here. */
function isLoopback(address: string): boolean {
  if (address.length === 8) return address.endsWith('7F')
  return address === '00000000000000000000000001000000' || /^0{16}FFFF0000.{6}7F$/.test(address)
}

/** At most {@link mostBytes} of a table; `undefined` when its process is gone, or hidden. */
function readTable(path: string): string | undefined {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const bytes = Buffer.allocUnsafe(mostBytes)
    let length = 0
    while (length < mostBytes) {
      const read = readSync(file, bytes, length, mostBytes - length, null)
      if (read === 0) break
      length += read
    }
    return bytes.toString('latin1', 0, length)
  } catch {
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
