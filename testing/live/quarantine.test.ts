import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { eventTypes, quarantineLabel } from '#events'
import { makePod } from '#testing/kubernetes/pods.ts'
import { startKubernetes } from '#testing/kubernetes/server.ts'
import { whyNotLive } from './machine.ts'
import { LiveNode } from './node.ts'
import { act } from './watcher.ts'

const reason = whyNotLive()
const rules = `
- rule: nothing of the network
  desc: d
  condition: evt.type = ptrace
  output: o
  priority: NOTICE
`

describe.skipIf(reason !== '')(`live: a pod that a response cuts off ${reason}`, () => {
  let node: LiveNode | undefined
  afterEach(async () => {
    await node?.stop()
    node = undefined
  })

  it('has its network shipped, on a connection from before too, while it carries the label', async () => {
    const kubernetes = await startKubernetes()
    const uid = '0f3b6f2e-9a52-4d6b-8f1c-2b7f6f0c9d12'
    const cgroup = `kubepods/besteffort/pod${uid}/${'cd'.repeat(32)}`
    const facts = { uid, name: 'web', namespace: 'prod', node: 'test-node' }
    const sockets: Socket[] = []
    const server = createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => {})
      socket.resume()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    try {
      chmodSync(dirname(kubernetes.caFile), 0o755)
      kubernetes.pods.add(makePod(facts))
      node = await LiveNode.start({
        rules,
        settings: `kubernetes: {mode: on, url: "${kubernetes.url}", ca: ${kubernetes.caFile}, token: ${kubernetes.tokenFile}}\n`,
      })
      const live = node
      expect(await live.until(() => kubernetes.watches > 0)).toBe(true)
      const script = `exec 3<>/dev/tcp/127.0.0.1/${port}; for i in $(seq 600); do echo x >&3; sleep 0.1; done`
      const running = act('cgroup', cgroup, '--', 'exec', '/bin/bash', '-c', script)
      const writes = async () =>
        (await live.events()).filter(
          ({ type, process, fd }) =>
            eventTypes[type]!.name === 'write' &&
            process.container?.podUid === uid &&
            fd?.socket?.remotePort === port,
        ).length
      expect(await live.until(() => sockets.length > 0)).toBe(true)
      await delay(2000)
      expect(await writes()).toBe(0)
      kubernetes.pods.update(makePod({ ...facts, labels: { [quarantineLabel]: 'r1' } }))
      expect(await live.until(async () => (await writes()) > 0)).toBe(true)
      for (const socket of sockets) socket.destroy()
      await running.catch(() => {})
    } finally {
      for (const socket of sockets) socket.destroy()
      server.close()
      await kubernetes.stop()
    }
  }, 60_000)
})
