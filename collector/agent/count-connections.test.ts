import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { countConnections } from './count-connections.ts'

let proc: string
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'lanner-proc-'))
})
afterEach(() => rmSync(proc, { recursive: true }))
const tell = (pid: number, table: string, ...lines: string[]) => {
  mkdirSync(join(proc, `${pid}/net`), { recursive: true })
  writeFileSync(
    join(proc, `${pid}/net/${table}`),
    ['  sl  local_address …', ...lines, ''].join('\n'),
  )
}
const own = '0500000A:9C40'
const line = (remote: string, state = '01', inode = 7, local = own) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0 20 4 30 10 -1`

describe('connections that processes hold', () => {
  it.each<[what: string, table: string, text: string, count: number]>([
    ['one to another', 'tcp', line('04030201:01BB'), 1],
    ['one that listens', 'tcp', line('00000000:0000', '0A'), 0],
    ['one whose other side is closed', 'tcp', line('04030201:01BB', '08'), 1],
    ['one that is over', 'tcp', line('04030201:01BB', '06', 0), 0],
    ['one that nobody holds', 'tcp', line('04030201:01BB', '04', 0), 0],
    ['one under way', 'tcp', line('04030201:01BB', '02'), 0],
    ['talk with itself', 'tcp', line('0100007F:01BB'), 0],
    ['talk with its own address', 'tcp', line('0500000A:01BB'), 0],
    ['a datagram socket with a peer', 'udp', line('04030201:01BB'), 1],
    ['a datagram socket without', 'udp', line('00000000:0000', '07'), 0],
    ['::1', 'tcp6', line('00000000000000000000000001000000:01BB'), 0],
    ['127.0.0.1 in IPv6', 'tcp6', line('0000000000000000FFFF00000100007F:01BB'), 0],
    ['another in IPv6', 'tcp6', line('B80D0120000000000000000001000000:01BB'), 1],
    ['no line', 'tcp', 'x', 0],
  ])('%s', (_, table, text, count) => {
    tell(1, table, text)
    expect(countConnections([1], proc)).toBe(count)
  })

  it('are counted once, however many processes share the network', () => {
    tell(1, 'tcp', line('04030201:01BB', '01', 7), line('04030201:01BB', '01', 8))
    tell(2, 'tcp', line('04030201:01BB', '01', 7))
    expect(countConnections([1, 2, 3], proc)).toBe(2)
  })

  it('are not known when nothing can be read, and none without processes', () => {
    expect(countConnections([1], proc)).toBeUndefined()
    expect(countConnections([], proc)).toBe(0)
    tell(1, 'tcp', 'x'.repeat(300 << 10))
    tell(1, 'tcp6', '')
    expect(countConnections([1], proc)).toBeUndefined()
  })

  it('are found in lines of this machine', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const text = readFileSync(`/proc/${process.pid}/net/tcp`, 'utf8')
    socket.destroy()
    server.close()
    const peer = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 01`
    const lines = text.split('\n').filter((each) => each.includes(` ${peer} `))
    expect(lines).toHaveLength(1)
    tell(1, 'tcp', ...lines)
    expect(countConnections([1], proc)).toBe(0)
    tell(2, 'tcp', ...lines.map((each) => each.replace(` ${peer}`, ' 04030201:01BB 01')))
    expect(countConnections([2], proc)).toBe(1)
    expect(countConnections([process.pid])).toBeTypeOf('number')
  })
})
