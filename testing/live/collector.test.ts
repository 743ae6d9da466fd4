import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createPublicKey, verify } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { type Batch, bytesToSign, readHeader, type SyscallEvent, splitRecord } from '#events'
import { whyNotLive } from './machine.ts'
import { LiveNode, type NodeOptions } from './node.ts'
import { act, actor } from './watcher.ts'

const reason = whyNotLive()

function rule(name: string, condition: string, priority = 'NOTICE'): string {
  return `- rule: ${name}\n  desc: d\n  condition: ${condition}\n  output: "%proc.name %fd.name"\n  priority: ${priority}\n\n`
}
const opened = (path: string, priority?: string) =>
  rule(
    `open ${path}`,
    `evt.type in (open, openat) and fd.name = ${path} and evt.rawres >= 0`,
    priority,
  )

/** How many events of a file there were, those that a count stands for included. */
function opensOf(events: readonly SyscallEvent[], path: string): number {
  const seen = new Map(
    events.filter(({ fd }) => fd?.name === path).map((event) => [event.seq, event]),
  )
  return [...seen.values()].reduce((sum, { count }) => sum + count, 0)
}

function expectGapless(batches: readonly Batch[]): void {
  const numbers = batches.map(({ header }) => header.sequence)
  expect(numbers).toEqual(numbers.map((_, index) => index))
}

describe.skipIf(reason !== '')(`live: a node of a fleet ${reason}`, () => {
  let node: LiveNode | undefined
  let load: ChildProcessWithoutNullStreams | undefined
  const start = async (options: NodeOptions) => {
    node = await LiveNode.start(options)
    return node
  }

  afterEach(async () => {
    load?.kill('SIGKILL')
    load = undefined
    await node?.stop()
    node = undefined
  })

  it('ships what the rules match, and says hello and goodbye', async () => {
    const node = await start({ rules: opened('/etc/shadow') })
    await act('open', '/etc/shadow', 'r')
    await act('open', '/etc/passwd', 'r')
    expect(await node.end()).toBe(0)
    const batches = await node.batches()
    expectGapless(batches)
    const [first] = batches
    expect(first!.header).toMatchObject({ cluster: 'test', node: 'test-node', previous: undefined })
    expect(first!.header.rulesetHash).toMatch(/^[0-9a-f]{64}$/)
    const events = batches.flatMap(({ events }) => events)
    expect(events.map(({ fd }) => fd?.name)).toEqual(['/etc/shadow'])
    expect(events[0]!.process.comm).toBe('lanner-actor')
    const kinds = batches.flatMap(({ notices }) => notices.map(({ kind }) => kind))
    expect(kinds.filter((kind) => kind !== 'canary')).toEqual(['started', 'stopped'])
    expect(batches.at(-1)!.header.counters.lost).toEqual({})
  })

  it('signs with a key that it announces with its token, also after a kill', async () => {
    const node = await start({ rules: opened('/etc/shadow') })
    await act('open', '/etc/shadow', 'r')
    await node.until(async () => opensOf(await node.events(), '/etc/shadow') === 1)
    writeFileSync(join(node.directory, 'token'), 'a.b.c')
    process.kill(node.agentPid, 'SIGKILL')
    await node.until(() => node.errors.split('watching').length > 2)
    await act('open', '/etc/shadow', 'r')
    expect(await node.end()).toBe(0)
    const records = (await node.records()).map(splitRecord)
    const announced = records.flatMap(({ announcement }) => announcement ?? [])
    expect(new Set(announced.map(({ token }) => token))).toEqual(new Set(['', 'a.b.c']))
    const keys = new Set(
      announced.map(({ publicKey }) => Buffer.from(publicKey).toString('base64url')),
    )
    expect(keys.size).toBe(1)
    const key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: [...keys][0]! },
      format: 'jwk',
    })
    for (const { batch } of records) {
      const { keyId, signature } = readHeader(batch)
      expect(keyId).toMatch(/^[0-9a-f]{24}$/)
      expect(verify(null, bytesToSign(batch), key, signature)).toBe(true)
    }
  })

  it('sends an urgent event at once, others after a while, and lives when idle', async () => {
    const node = await start({
      rules: opened('/etc/shadow', 'CRITICAL') + opened('/etc/gshadow'),
      settings: 'batch: {wait: 4s, heartbeat: 1s}\n',
    })
    /** Seconds from the event to the sealing of its batch, by the clocks of the node alone. */
    const sealedAfter = async (path: string) => {
      const find = async () =>
        (await node.batches()).find(({ events }) => opensOf(events, path) === 1)
      expect(await node.until(async () => (await find()) !== undefined)).toBe(true)
      const { header, events } = (await find())!
      return Number(header.sealedAt - events.find(({ fd }) => fd?.name === path)!.time) / 1e9
    }
    await act('open', '/etc/shadow', 'r')
    expect(await sealedAfter('/etc/shadow')).toBeLessThan(3)
    expect(await node.until(async () => (await node.batches()).length >= 4)).toBe(true)
    await act('open', '/etc/gshadow', 'r')
    expect(await sealedAfter('/etc/gshadow')).toBeGreaterThan(3.5)
    await node.end()
    expectGapless(await node.batches())
  })

  it('changes rules a hundred times under load and loses nothing that all of them want', async () => {
    const wanted = opened('/etc/shadow', 'CRITICAL')
    const node = await start({
      rules: wanted,
      settings: 'fold: {window: 0s}\nlimit: {events: 100000}\n',
    })
    load = spawn(actor, ['paced', '1000000', '400', '/etc/shadow'])
    const said = text(load.stdout)
    const refused = () => node.errors.split('refused').length - 1
    const changed = () => node.errors.split('rules in force').length - 1
    // the watch looks every two seconds; a signal makes it look at once
    for (let round = 1; round <= 100; round++) {
      node.writeRules(
        wanted + rule(`extra ${round}`, `evt.type = ${round % 2 ? 'setns' : 'chmod'}`),
      )
      process.kill(node.agentPid, 'SIGHUP')
      expect(await node.until(() => changed() === round, 30_000), node.errors).toBe(true)
    }
    node.writeRules('- rule: bad\n  condition: evt.typo = x\n')
    process.kill(node.agentPid, 'SIGHUP')
    expect(await node.until(() => refused() === 1, 30_000)).toBe(true)
    load.kill('SIGTERM')
    const { opened: opens } = JSON.parse(await said)
    expect(opens).toBeGreaterThan(1000)
    const arrived = async () => opensOf(await node.events(), '/etc/shadow')
    await node.until(async () => (await arrived()) >= opens, 60_000)
    await node.end()
    const batches = await node.batches()
    expectGapless(batches)
    const { lost } = batches.at(-1)!.header.counters
    const events = batches.flatMap(({ events }) => events)
    expect({ opens: opensOf(events, '/etc/shadow'), lost }).toEqual({ opens, lost: {} })
    expect(changed()).toBe(100)
    const texts = batches
      .flatMap(({ notices }) => notices)
      .filter(({ kind }) => kind === 'rules-refused')
    expect(texts.map(({ text }) => text)).toEqual([expect.stringContaining('rules.yaml:')])
  }, 240_000)

  it('loses no event when the agent is killed between taking and storing them', async () => {
    const node = await start({ rules: opened('/etc/shadow'), settings: 'batch: {wait: 3s}\n' })
    for (let round = 0; round < 4; round++) {
      await act('open', '/etc/shadow', 'r')
      await new Promise((resolve) => setTimeout(resolve, 300 + round * 400))
      const said = node.errors.split('watching').length
      process.kill(node.agentPid, 'SIGKILL')
      expect(await node.until(() => node.errors.split('watching').length > said)).toBe(true)
    }
    await node.end()
    const batches = await node.batches()
    expectGapless(batches)
    expect(new Set(batches.map(({ header }) => header.run)).size).toBe(1)
    expect(
      opensOf(
        batches.flatMap(({ events }) => events),
        '/etc/shadow',
      ),
    ).toBe(4)
    expect(batches.at(-1)!.header.counters.lost).toEqual({})
  })

  it('names the run before when the sensor starts anew, and ships what that one left', async () => {
    const node = await start({ rules: opened('/etc/shadow') })
    await node.kinesis.refuse()
    await act('open', '/etc/shadow', 'r')
    await new Promise((resolve) => setTimeout(resolve, 1500))
    process.kill(node.agentPid, 'SIGKILL')
    process.kill(node.sensorPid, 'SIGKILL')
    await node.until(() => false, 500)
    await node.kinesis.accept()
    await node.run()
    await node.end()
    const batches = await node.batches()
    const runs = [...new Set(batches.map(({ header }) => header.run))]
    expect(runs.length).toBe(2)
    const [first, second] = runs.map((run) => batches.filter(({ header }) => header.run === run))
    expectGapless(first!)
    expectGapless(second!)
    expect(second![0]!.header.previous).toEqual({
      run: runs[0],
      sequence: first!.at(-1)!.header.sequence,
    })
    expect(
      opensOf(
        batches.flatMap(({ events }) => events),
        '/etc/shadow',
      ),
    ).toBe(1)
  })

  it('folds the repeats of a steady workload: nine in ten and more', async () => {
    const node = await start({
      rules:
        opened('/etc/hostname') +
        rule('connect', 'evt.type = connect and fd.sport = 9 and fd.sip = 127.0.0.1'),
      settings: 'limit: {events: 100000}\n',
    })
    await Promise.all([
      act('paced', '2000', '400', '/etc/hostname'),
      act('loop', 'connect', '3000'),
    ])
    await node.end()
    const events = await node.events()
    expect(opensOf(events, '/etc/hostname')).toBe(2000)
    expect(events.reduce((sum, { count }) => sum + count, 0)).toBe(5000)
    expect(events.length).toBeLessThan(50)
    const { folded } = (await node.batches()).at(-1)!.header.counters
    expect(folded).toBe(5000 - events.length)
  })

  it('drops in the kernel what no rule wants: by scope, class and path', async () => {
    const node = await start({
      rules:
        rule('container', 'evt.type = setns and container.id != host') +
        rule(
          'read',
          'evt.type in (open, openat) and evt.is_open_read = true and fd.name startswith /etc/ssh and evt.rawres >= 0',
        ) +
        rule('suffix', 'evt.type in (open, openat) and fd.name endswith .pem and evt.rawres >= 0') +
        rule(
          'dots',
          "evt.type in (open, openat) and fd.nameraw contains '../' and fd.name startswith /etc",
        ),
    })
    const pem = join(node.directory, 'a.pem')
    writeFileSync(pem, '')
    await act('open', '/etc/passwd', 'r')
    await act('open', '/etc/hosts', 'w')
    await act('open', '/etc/ssh', 'r')
    await act('open', pem, 'r')
    await act('open', '/etc/../etc/group', 'r')
    await act('cgroup', 'system.slice/x.service', '--', 'call', '308', '99', '0')
    await act('container', '--', 'call', '308', '98', '0')
    await node.end()
    const batches = await node.batches()
    const events = batches.flatMap(({ events }) => events)
    const names = events.map(
      (event) => event.fd?.name ?? `${event.process.container?.type} ${event.arg(1)}`,
    )
    expect([...new Set(names)].sort()).toEqual(['/etc/group', '/etc/ssh', 'docker 98', pem].sort())
    const { seen, filtered } = batches.at(-1)!.header.counters
    expect(filtered).toBe(seen - events.length)
  })

  it('makes alerts as Falco does without any cloud, and says when events were lost', async () => {
    const node = await start({
      rules:
        opened('/etc/shadow', 'WARNING') +
        rule('all', 'evt.type in (open, openat) and fd.name = /dev/null'),
      withoutStream: true,
      settings: 'alerts: {mode: always}\n',
    })
    await act('open', '/etc/shadow', 'r')
    const seen = (name: string) => node.alerts.find((alert) => alert['rule'] === name)
    expect(await node.until(() => seen('open /etc/shadow') !== undefined)).toBe(true)
    expect(seen('open /etc/shadow')).toMatchObject({
      hostname: 'test-node',
      priority: 'Warning',
      source: 'syscall',
      output: expect.stringContaining('lanner-actor /etc/shadow'),
      output_fields: { 'fd.name': '/etc/shadow' },
    })
    process.kill(node.agentPid, 'SIGSTOP')
    await act('loop', 'open', '150000')
    process.kill(node.agentPid, 'SIGCONT')
    expect(await node.until(() => seen('Lanner internal: events lost') !== undefined)).toBe(true)
    expect(seen('Lanner internal: events lost')).toMatchObject({
      source: 'internal',
      priority: 'Warning',
      output: expect.stringMatching(/\d+ at ring-file/),
    })
  })

  it('makes alerts on the node while the cloud cannot be reached', async () => {
    const node = await start({
      rules: opened('/etc/shadow'),
      settings: 'alerts: {mode: when-cloud-unreachable}\n',
    })
    await act('open', '/etc/shadow', 'r')
    expect(await node.until(async () => opensOf(await node.events(), '/etc/shadow') === 1)).toBe(
      true,
    )
    expect(node.alerts).toEqual([])
    await node.kinesis.refuse()
    const seen = () => node.alerts.some((alert) => alert['rule'] === 'open /etc/shadow')
    for (let i = 0; i < 60 && !seen(); i++) {
      await act('open', '/etc/shadow', 'r')
      await node.until(seen, 1000)
    }
    expect(seen()).toBe(true)
    await node.kinesis.accept()
    await node.end()
    expectGapless(await node.batches())
  })

  it('replaces secrets before anything leaves the node, and still matches on them', async () => {
    const node = await start({
      rules: rule('secret', 'evt.type = execve and proc.args contains hunter2'),
      settings: 'redact: {enabled: true}\nalerts: {mode: always}\n',
    })
    spawn('/bin/true', ['--password', 'hunter2', 'https://user:hunter2@host/x'])
    expect(await node.until(() => node.alerts.some((alert) => alert['rule'] === 'secret'))).toBe(
      true,
    )
    await node.end()
    const events = await node.events()
    expect(events.map(({ process }) => process.args)).toEqual([
      ['--password', '[redacted]', expect.stringContaining('[redacted]')],
    ])
    expect(JSON.stringify(node.alerts)).not.toContain('hunter2')
  })

  it('refuses a configuration with mistakes, and rules with mistakes', async () => {
    const run = (config: string) => {
      const path = join('/tmp', `lanner-bad-${process.pid}.yaml`)
      writeFileSync(path, config)
      const child = spawn(join(import.meta.dirname, '../../cli/lanner'), [
        'agent',
        '--config',
        path,
      ])
      let text = ''
      child.stderr.on('data', (part) => {
        text += part
      })
      return once(child, 'exit').then(([code]) => ({ code, text }))
    }
    expect(await run('ruels: x\n')).toMatchObject({
      code: 2,
      text: expect.stringContaining('did you mean "rules"?'),
    })
    expect(await run('rules: {paths: /nonexistent}\nalerts: {mode: always}\n')).toMatchObject({
      code: 2,
      text: expect.stringContaining('/nonexistent'),
    })
  })
})
