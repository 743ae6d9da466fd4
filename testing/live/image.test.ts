import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Batch } from '#events'
import { makePod } from '#testing/kubernetes/pods.ts'
import { startKubernetes } from '#testing/kubernetes/server.ts'
import { buildImages, whyNoImage } from '../../collector/image/build.ts'
import { imageConfig } from '../../collector/image/files.ts'
import { unpackImage } from '../../collector/image/layout-files.ts'
import { readManifest } from '../../collector/image/oci.ts'
import { whyNotLive } from './machine.ts'
import { LiveNode, type NodeOptions } from './node.ts'
import { act } from './watcher.ts'

const reason = process.arch === 'x64' ? whyNotLive() || whyNotBuilt() : 'built for x86-64'

function whyNotBuilt(): string {
  const why = whyNoImage(['amd64'])
  if (why !== '' && process.env['CI'] === 'true' && process.getuid?.() === 0) {
    throw new Error(`the image must be built in CI, but: ${why}`)
  }
  return why
}
const helpers = fileURLToPath(new URL('../image/', import.meta.url))
const source = { version: '0.0.0-test', revision: 'none', created: '2026-01-01T00:00:00.000Z' }
const rules = `- rule: open\n  desc: d\n  condition: evt.type in (open, openat) and fd.name = /etc/shadow\n  output: "%fd.name"\n  priority: NOTICE\n`

describe.skipIf(reason !== '')(`live: the image ${reason}`, () => {
  const scratch = mkdtempSync(join(tmpdir(), 'lanner-image-'))
  const layout = join(scratch, 'layout')
  const root = join(scratch, 'root')
  const next = join(scratch, 'next')
  let digest = ''
  let node: LiveNode | undefined

  beforeAll(() => {
    chmodSync(scratch, 0o755)
    for (const name of ['contain', 'bpf-count']) {
      execFileSync('gcc', ['-O2', '-Wall', join(helpers, `${name}.c`), '-o', join(scratch, name)])
    }
    digest = buildImages(layout, ['amd64'], source).digest
    unpackImage(layout, 'amd64', root)
    // another version of the agent, as an upgrade brings it
    cpSync(root, next, { recursive: true, preserveTimestamps: true })
    appendFileSync(join(next, 'lanner/collector/main.mjs'), '\n// another version\n')
  }, 180_000)
  afterEach(async () => {
    await node?.stop()
    node = undefined
  })
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))

  /** The command of the image, contained below `at`; the node's directory takes the place of its volumes. */
  const command = (at: string, directory: string) => {
    mkdirSync(join(at, directory), { recursive: true })
    // the init container
    execFileSync(join(at, 'lanner/lanner-sensor'), ['--own', join(directory, 'spool')])
    return [join(scratch, 'contain'), at, directory, ...imageConfig.entrypoint]
  }
  const start = async (options: Partial<NodeOptions>, at = root) => {
    node = await LiveNode.start({
      rules,
      environment: imageConfig.environment,
      command: (directory) => command(at, directory),
      ...options,
    })
    return node
  }

  it('has the same digest when it is built again from nothing', () => {
    rmSync(fileURLToPath(new URL('../../build/image/amd64', import.meta.url)), { recursive: true })
    const again = join(scratch, 'again')
    expect(buildImages(again, ['amd64'], source).digest).toBe(digest)
    expect(readFileSync(join(again, 'index.json'))).toEqual(
      readFileSync(join(layout, 'index.json')),
    )
    rmSync(again, { recursive: true })
  }, 120_000)

  it('says what it is and is whole', () => {
    const { layers } = readManifest(layout, 'amd64')
    expect(layers.length).toBe(2)
    expect(() => readManifest(layout, 'arm64')).toThrow('no image for arm64')
    const [, lanner] = layers
    expect(lanner!.size).toBeLessThan(3 << 20)
  })

  it('has no compiler, no shell and no program but its own', () => {
    const files = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
    const programs = files.filter((path) => (statSync(path).mode & 0o111) !== 0)
    expect(programs.map((path) => path.slice(root.length)).sort()).toEqual([
      '/lanner/lanner-sensor',
      '/lanner/node',
      '/lib64/ld-linux-x86-64.so.2',
    ])
    for (const path of files) expect(statSync(path).mode & 0o6022, path).toBe(0)
  })

  it('runs live, on a read-only root, with the documented capabilities alone', async () => {
    const node = await start({})
    const mounts = readFileSync(`/proc/${node.sensorPid}/mountinfo`, 'utf8').split('\n')
    expect(mounts.some((line) => /^\S+ \S+ \S+ \S+ \/ ro[, ]/.test(line))).toBe(true)
    const capabilities = (pid: number, set: string) =>
      new RegExp(`^${set}:\\s*(\\w+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    expect(capabilities(node.sensorPid, 'CapBnd')).toBe('000000c0000800e4')
    expect(capabilities(node.sensorPid, 'CapPrm')).toBe('000000c0000800e4')
    expect(capabilities(node.agentPid, 'CapPrm')).toBe('0000000000000000')
    expect(readFileSync(`/proc/${node.agentPid}/environ`, 'latin1')).toContain(
      'UV_THREADPOOL_SIZE=2',
    )
    await act('open', '/etc/shadow', 'r')
    expect(await node.end()).toBe(0)
    expect((await node.events()).map(({ fd }) => fd?.name)).toEqual(['/etc/shadow'])
  }, 60_000)

  it('reads tokens that only the group of the pod may read, as fsGroup makes them', async () => {
    const kubernetes = await startKubernetes()
    try {
      kubernetes.pods.add(
        makePod({ uid: 'u-1', name: 'web', namespace: 'prod', node: 'test-node' }),
      )
      const directory = dirname(kubernetes.caFile)
      chmodSync(directory, 0o755)
      const place = join(scratch, 'tokens')
      mkdirSync(place, { recursive: true })
      // what kubelet does for a projected volume with fsGroup: 65534
      const token = join(directory, 'projected-token')
      writeFileSync(token, readFileSync(kubernetes.tokenFile), { mode: 0o640 })
      chmodSync(token, 0o640)
      chownSync(token, 0, 65534)
      for (const at of [kubernetes.caFile, token]) {
        mkdirSync(join(root, dirname(at)), { recursive: true })
        cpSync(at, join(root, at), { preserveTimestamps: true })
        chmodSync(join(root, at), statSync(at).mode & 0o777)
        chownSync(join(root, at), 0, 65534)
      }
      const node = await start({
        settings: `kubernetes: {mode: on, url: "${kubernetes.url}", ca: ${kubernetes.caFile}, token: ${token}}\n`,
      })
      expect(await node.until(() => kubernetes.watches > 0)).toBe(true)
    } finally {
      await kubernetes.stop()
    }
  }, 60_000)

  it('loses nothing that spool or ring hold through an upgrade and a rollback', async () => {
    const node = await start({ settings: 'fold: {window: 0s}\n' })
    const burst = async (count: number) => {
      for (let i = 0; i < count; i++) await act('open', '/etc/shadow', 'r')
    }
    // the stream is away: all of it waits on the node while agents come and go
    await node.kinesis.refuse()
    await burst(3)
    node.signal('SIGTERM')
    await node.ended()
    await node.run(command(next, node.directory))
    await burst(4)
    // the last ones lie in the ring when the end comes
    const last = burst(1)
    await last
    node.signal('SIGTERM')
    await node.ended()
    await node.kinesis.accept()
    await node.run(command(root, node.directory))
    await burst(2)
    expect(await node.end()).toBe(0)
    const batches = await node.batches()
    const events = batches.flatMap(({ events }) => events)
    expect(new Set(events.map(({ seq, time }) => `${time}-${seq}`)).size).toBe(10)
    expectChained(batches)
    for (const { header } of batches) expect(header.counters.lost).toEqual({})
  }, 120_000)

  it('leaves nothing on the node but the spool', async () => {
    /** Programs, maps and links in the kernel, those of others too. */
    const count = () =>
      execFileSync(join(scratch, 'bpf-count'), { encoding: 'utf8' }).split(' ').map(Number)
    const cgroups = () =>
      execFileSync('find', ['/sys/fs/cgroup', '-type', 'd'], { encoding: 'utf8' })
    const mounts = () => readFileSync('/proc/self/mounts', 'utf8')
    const pinned = () => (existsSync('/sys/fs/bpf') ? readdirSync('/sys/fs/bpf') : [])
    const before = [mounts(), cgroups(), pinned().join()]
    const programs = count()
    const node = await start({})
    await act('open', '/etc/shadow', 'r')
    const { agentPid, sensorPid } = node
    for (const [kind, number] of count().entries()) expect(number).toBeGreaterThan(programs[kind]!)
    expect(await node.end()).toBe(0)
    // the kernel frees them a grace period after the last use
    await expect
      .poll(() => count().every((number, kind) => number <= programs[kind]!), { timeout: 20_000 })
      .toBe(true)
    expect([mounts(), cgroups(), pinned().join()]).toEqual(before)
    for (const pid of [agentPid, sensorPid]) expect(existsSync(`/proc/${pid}`)).toBe(false)
    const left = readdirSync(node.directory).sort()
    expect(left).toEqual(['config.yaml', 'rules', 'spool'])
  }, 60_000)
})

/** Every run is gapless and names the last batch of the one before. */
function expectChained(batches: readonly Batch[]): void {
  const runs = [...new Set(batches.map(({ header }) => header.run))]
  expect(runs.length).toBe(3)
  let before: Batch['header']['previous']
  for (const run of runs) {
    const headers = batches.map(({ header }) => header).filter((header) => header.run === run)
    expect(headers.map(({ sequence }) => sequence)).toEqual(headers.map((_, index) => index))
    expect(headers[0]!.previous).toEqual(before)
    before = { run, sequence: headers.at(-1)!.sequence }
  }
}
