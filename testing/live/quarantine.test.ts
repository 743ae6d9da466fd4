import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { eventTypes, quarantineLabel } from '#events'
import { makePod } from '#testing/kubernetes/pods.ts'
import { startKubernetes } from '#testing/kubernetes/server.ts'
import { matchExpectations, trafficEvents } from '../../lambdas/shared/expectations.ts'
import { whyNotLive } from './machine.ts'
import { LiveNode } from './node.ts'
import { act, actor } from './watcher.ts'

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

  it('is seen to send by calls that copy nothing, to use a ring, and to hold a connection in silence', async () => {
    const kubernetes = await startKubernetes()
    const uid = '1f3b6f2e-9a52-4d6b-8f1c-2b7f6f0c9d13'
    const cgroup = `kubepods/besteffort/pod${uid}/${'ce'.repeat(32)}`
    const facts = { uid, name: 'relay', namespace: 'prod', node: 'test-node' }
    const pool = '203.0.113.7'
    const within = (...steps: string[]) => ['cgroup', cgroup, '--', 'network', pool, '--', ...steps]
    const ends: (() => Promise<unknown>)[] = []
    try {
      chmodSync(dirname(kubernetes.caFile), 0o755)
      kubernetes.pods.add(makePod({ ...facts, labels: { [quarantineLabel]: 'r1' } }))
      node = await LiveNode.start({
        rules,
        settings: `kubernetes: {mode: on, url: "${kubernetes.url}", ca: ${kubernetes.caFile}, token: ${kubernetes.tokenFile}}\n`,
      })
      const live = node
      const holds = async (count: number) =>
        (await live.notices()).some(
          ({ kind, text }) =>
            kind === 'pod-watched' && new RegExp(`^${uid} \\d+ ${count}$`).test(text),
        )
      expect(await live.until(() => holds(0))).toBe(true)
      const from = Date.now()
      for (const call of ['splice', 'sendfile', 'nothing']) {
        const holder = spawn(actor, within('hold', pool, '3333', call), {
          stdio: ['pipe', 'ignore', 'inherit'],
        })
        ends.push(async () => {
          const ended = once(holder, 'exit')
          holder.stdin.end()
          await ended
        })
      }
      await act(...within('connect-uring', pool, '3334'))
      const expectation = {
        ...{ id: 'r1', cluster: 'c', node: 'n', podUid: uid, containers: [] },
        ...{ from, until: from + 600_000, forbidden: trafficEvents },
      }
      const now = BigInt(Date.now()) * 1_000_000n
      const coverage = {
        ...{ cluster: 'c', node: 'n', notices: [], firstTime: now, lastTime: now, sealedAt: now },
        ...{ run: 1n, sequence: 1, counters: { lost: {} }, hasGap: false },
      }
      const seen = async (what: 'held' | 'rings', event: string) => {
        const found = matchExpectations([expectation], coverage as never, await live.events())
        return found.get('r1')![what].some((one) => one.event === event)
      }
      for (const call of ['splice', 'sendfile']) {
        expect(await live.until(() => seen('held', call)), call).toBe(true)
      }
      expect(await live.until(() => seen('rings', 'io_uring_enter'))).toBe(true)
      expect(await seen('rings', 'io_uring_setup')).toBe(true)
      expect(await live.until(() => holds(1))).toBe(true)
    } finally {
      for (const end of ends) await end()
      await kubernetes.stop()
    }
  }, 90_000)
})
