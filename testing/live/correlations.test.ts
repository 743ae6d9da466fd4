import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { libraryPath } from '../../cli/library-path.ts'
import { LocalNode } from '../../cli/local/node.ts'
import { localCredentials } from '../../infra/local/clients.ts'
import type { IncidentMessage } from '../../lambdas/shared/bus-messages.ts'
import { containerId, makePod, podUid } from '../kubernetes/pods.ts'
import { startKubernetes } from '../kubernetes/server.ts'
import { Pipeline } from '../pipeline/pipeline.ts'
import { artefactFrom } from '../pipeline/records.ts'
import { whyNotLive } from './machine.ts'
import { act } from './watcher.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 })
const reason = whyNotLive()

const acrossNodes = `- correlation: Credentials read, then a connection from anywhere
  desc: Somebody read credentials, and within a minute a container of the cluster connected to the internet.
  type: temporal_ordered
  rules: [Sensitive file read, Unexpected outbound connection]
  group-by: [lanner.cluster]
  timespan: 60s
  output: "Credentials, then outbound | cluster=%lanner.cluster"
  priority: CRITICAL
`

describe.skipIf(reason !== '')(`live: correlations across nodes ${reason}`, () => {
  let pipeline: Pipeline
  let directory: string
  let nodes: LocalNode[]

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'lanner-correlations-'))
    chmodSync(directory, 0o755)
    writeFileSync(join(directory, 'across.correlation.yaml'), acrossNodes)
    pipeline = await Pipeline.start({
      sets: { default: artefactFrom(libraryPath, join(directory, 'across.correlation.yaml')) },
    })
    nodes = []
  })
  afterEach(async () => {
    for (const node of nodes) await node.stop()
    await pipeline.stop()
    rmSync(directory, { recursive: true })
  })

  /** A collector of this machine under a name, that looks for one rule of the library alone. */
  async function startNode(name: string, rule: string, settings: object = {}): Promise<void> {
    const said: string[] = []
    const node = new LocalNode({
      ...{ rules: [join(libraryPath, `${rule}.yaml`)], credentials: localCredentials },
      stream: pipeline.stack.names.name('stream'),
      endpoint: pipeline.stack.endpoints.kinesis,
      say: (line) => said.push(line),
      settings: { node: name, ...settings },
    })
    nodes.push(node)
    await vi.waitFor(() => expect(said.join('\n')).toContain('watching'), { timeout: 60_000 })
  }

  const found = (correlation: string) =>
    pipeline.said
      .filter((event) => event['detail-type'] === 'Incident Opened')
      .map(({ detail }) => (detail as unknown as IncidentMessage).detection!)
      .find(({ rule }) => rule === correlation)
  const expectFound = async (correlation: string) => {
    await vi.waitFor(() => expect(found(correlation)).toBeDefined(), { timeout: 40_000 })
    return found(correlation)!
  }
  const outbound = (ip: string) =>
    ['network', ip, '--', 'named', 'curl', '--', 'connect', ip, '443'] as const

  it('credentials read on one node, then a connection from another', async () => {
    await startNode('node-a', 'sensitive-file-read')
    await startNode('node-b', 'unexpected-outbound')
    await act('open', '/etc/shadow', 'r')
    await vi.waitFor(async () => expect((await pipeline.detections()).all.length).toBe(1), {
      timeout: 30_000,
    })
    await act('container', '--', ...outbound('203.0.113.7'))
    const { lanner } = await expectFound('Credentials read, then a connection from anywhere')
    const { all } = await pipeline.detections()
    const members = all.filter(({ lanner: { id } }) => lanner.correlation!.members.includes(id))
    expect(members.map((one) => [one.rule, one.lanner.node]).sort()).toEqual([
      ['Sensitive file read', 'node-a'],
      ['Unexpected outbound connection', 'node-b'],
    ])
  })

  it('twenty destinations within a minute', async () => {
    await startNode('node-a', 'unexpected-outbound')
    for (let at = 1; at <= 19; at++) await act('container', '--', ...outbound(`203.0.113.${at}`))
    await vi.waitFor(async () => expect((await pipeline.detections()).all.length).toBe(19), {
      timeout: 30_000,
    })
    expect(found('Outbound scan')).toBeUndefined()
    await act('container', '--', ...outbound('203.0.113.20'))
    const { lanner } = await expectFound('Outbound scan')
    expect(lanner.correlation!.count).toBe(20)
  })

  it('the first time that an image runs curl', async () => {
    const kubernetes = await startKubernetes()
    try {
      chmodSync(dirname(kubernetes.caFile), 0o755)
      const uid = podUid(7)
      kubernetes.pods.add(makePod({ uid, node: 'node-a', container: 7, image: 'shop/web:1.2' }))
      const { url, caFile: ca, tokenFile: token } = kubernetes
      await startNode('node-a', 'unexpected-outbound', {
        kubernetes: { mode: 'on', url, ca, token },
      })
      await vi.waitFor(() => expect(kubernetes.watches).toBeGreaterThan(0), { timeout: 30_000 })
      const cgroup = `kubepods/besteffort/pod${uid}/${containerId(7)}`
      const curl = () => act('cgroup', cgroup, '--', ...outbound('203.0.113.9'))
      await curl()
      const detection = await expectFound('Image uses a tool for the first time')
      expect(detection.output).toContain('tool=curl')
      await curl()
      await pipeline.stack.settle()
      const { said } = pipeline.incidents()
      const first = said.filter(({ incident }) => incident.title === detection.rule)
      expect(first.map(({ incident }) => incident.count)).toEqual([1])
    } finally {
      await kubernetes.stop()
    }
  })
})
