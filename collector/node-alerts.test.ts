import { describe, expect, it } from 'vitest'
import { makeEvent, makeFile, makeProcess } from '#testing/events.ts'
import { compileNodeRules } from './agent/node-rules.ts'
import { createRedactor } from './agent/redact.ts'
import { NodeAlerts, type NodeAlertsOptions } from './node-alerts.ts'

const text =
  '- rule: r\n  desc: d\n  condition: evt.type = open and proc.args contains hunter2\n  output: "%proc.cmdline"\n  priority: ERROR\n'
const compiled = compileNodeRules([{ name: 'r', text }], { selections: [], matching: 'first' })
if ('mistakes' in compiled) throw new Error(compiled.mistakes.join())
const { full } = compiled.rules
const event = makeEvent('open', {
  process: makeProcess({ exe: 'x', comm: 'x', args: ['--password', 'hunter2'] }),
  fd: makeFile('/f'),
})

function setUp(options: Partial<NodeAlertsOptions>) {
  const lines: string[] = []
  const output = {
    write: (line: string) => void lines.push(line),
    figures: { written: 0, dropped: 0 },
    close: async () => {},
  }
  const alerts = new NodeAlerts({
    mode: 'always',
    outputs: [output],
    origin: { cluster: 'c', node: 'n', boot: 'b', run: '1' },
    keep: (each) => each,
    reachability: () => ({ state: 'reachable', forMs: 0 }),
    ...options,
  })
  return { lines, alerts }
}

describe('alerts on the node', () => {
  it('are Falco JSON, one a line', () => {
    const { lines, alerts } = setUp({})
    alerts.show(event, full)
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { rule: 'r', priority: 'Error', hostname: 'n', output: expect.stringContaining('hunter2') },
    ])
  })

  it('match on what they do not show', () => {
    const redactor = createRedactor({ patterns: [] })
    const { lines, alerts } = setUp({ keep: (each) => redactor.event(each) })
    alerts.show(event, full)
    expect(lines.length).toBe(1)
    expect(lines[0]).not.toContain('hunter2')
  })

  it('are made during an outage of half a minute and more, if so told', () => {
    const reach = { state: 'unreachable' as const, forMs: 29_000 }
    const { lines, alerts } = setUp({ mode: 'when-cloud-unreachable', reachability: () => reach })
    alerts.show(event, full)
    expect(lines).toEqual([])
    reach.forMs = 30_000
    alerts.show(event, full)
    expect(lines.length).toBe(1)
  })

  it('are none when they are off', () => {
    const { lines, alerts } = setUp({ mode: 'off' })
    alerts.show(event, full)
    alerts.notify('events-lost', 'x')
    expect(lines).toEqual([])
  })

  it('tell of the node itself, too', () => {
    const { lines, alerts } = setUp({})
    alerts.notify('events-lost', '5 at ring-file')
    expect(JSON.parse(lines[0]!)).toMatchObject({
      rule: 'Lanner internal: events lost',
      priority: 'Warning',
      source: 'internal',
      output_fields: { text: '5 at ring-file' },
    })
  })
})
