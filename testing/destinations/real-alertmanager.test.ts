import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tellAlertmanager } from '../../lambdas/notify/alertmanager/tell-alertmanager.ts'
import { FaultServer, type Vendor } from './fault-server.ts'
import { sampleClosed, sampleMessage } from './sample-messages.ts'
import { startTestSecrets, type TestSecrets, VirtualDelivery } from './virtual-delivery.ts'

const peers = process.env['LANNER_PEERS'] ?? join(homedir(), '.cache/lanner/peers')
const binary = join(peers, 'alertmanager')

interface Notification {
  readonly status: 'firing' | 'resolved'
  readonly alerts: readonly { readonly status: string; readonly fingerprint: string }[]
}

/** Built by `testing/destinations/build-alertmanager.sh`. */
describe.skipIf(!existsSync(binary))('a real Alertmanager', () => {
  const notifications: Notification[] = []
  const receiver: Vendor = {
    serve: ({ body }) => {
      notifications.push(JSON.parse(body.toString()) as Notification)
      return { status: 200 }
    },
  }
  let inbox: FaultServer
  let process: ChildProcess
  let url = ''
  let folder = ''
  let secrets: TestSecrets
  let delivery: VirtualDelivery

  beforeAll(async () => {
    inbox = await FaultServer.start(receiver)
    secrets = await startTestSecrets()
    folder = mkdtempSync(join(tmpdir(), 'alertmanager-'))
    const config = {
      route: {
        ...{ receiver: 'inbox', group_by: ['alertname', 'cluster'], repeat_interval: '1h' },
        ...{ group_wait: '50ms', group_interval: '100ms' },
      },
      receivers: [{ name: 'inbox', webhook_configs: [{ url: inbox.url, send_resolved: true }] }],
    }
    writeFileSync(join(folder, 'config.yml'), JSON.stringify(config))
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    process = spawn(
      binary,
      [
        `--config.file=${join(folder, 'config.yml')}`,
        `--storage.path=${folder}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--cluster.listen-address=',
      ],
      { stdio: 'ignore' },
    )
    await until(async () => (await fetch(`${url}/-/ready`)).ok)
    delivery = await VirtualDelivery.open({
      make: tellAlertmanager,
      secret: {},
      secrets: secrets.client,
      destination: {
        ...{
          name: 'am',
          kind: 'alertmanager',
          reach: 'vpc',
          timeoutMs: 5000,
          giveUpMs: 86_400_000,
        },
        ...{ settings: { 'resend-every': '2m', 'team-label': 'team' }, urls: [url] },
        rate: { messages: 20, perMs: 1000 },
        at: { file: 'r', line: 1, column: 1, offset: 0, length: 0 },
      },
    })
    // its clock is the one of this machine
    delivery.now = Date.now()
  }, 60_000)

  afterAll(async () => {
    process?.kill()
    await inbox?.stop()
    await secrets?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const alerts = async () =>
    (await (await fetch(`${url}/api/v2/alerts`)).json()) as {
      fingerprint: string
      status: { state: string }
      labels: Record<string, string>
      startsAt: string
    }[]
  const times = () => ({ opened: new Date(Date.now() - 60_000).toISOString() })

  it('takes an incident as one alert, however often it is told', async () => {
    const message = sampleMessage(times())
    for (let round = 0; round < 3; round += 1) delivery.put(message)
    delivery.put(sampleMessage({ ...times(), revision: 2, count: 9 }, 'doubled'))
    await delivery.run(1000)
    await until(() => notifications.length > 0)
    const found = await alerts()
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({
      status: { state: 'active' },
      labels: { severity: 'critical' },
    })
    expect(notifications).toHaveLength(1)
    expect(notifications[0]).toMatchObject({ status: 'firing' })
    expect(delivery.dead).toEqual([])
  })

  it('resolves it with its incident', async () => {
    delivery.now = Date.now()
    delivery.put(sampleClosed({ ...times(), revision: 3 }))
    await delivery.run(1000)
    await until(() => notifications.length > 1)
    expect(notifications.at(-1)).toMatchObject({ status: 'resolved' })
    const prints = new Set(notifications.flatMap(({ alerts }) => alerts.map((a) => a.fingerprint)))
    expect(prints.size).toBe(1)
    expect(await alerts()).toEqual([])
  })

  it('takes hostile text as it is', async () => {
    delivery.now = Date.now()
    const text = '"}]\u0000\n{{ .Labels }} <b>\u202e`$x` ü'.repeat(3000)
    const id = '7'.repeat(64)
    delivery.put(sampleMessage({ ...times(), id, title: text, cluster: text }))
    await delivery.run(1000)
    expect(delivery.dead).toEqual([])
    expect(delivery.figures['Rejected']).toBeUndefined()
    expect(await alerts()).toHaveLength(1)
  })
})

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000
  for (;;) {
    if (await Promise.resolve(isTrue()).catch(() => false)) return
    if (performance.now() > end) throw new Error('not in time')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
