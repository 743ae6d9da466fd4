import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { runLanner } from '#testing/run-lanner.ts'
import { newResponses } from '../lambdas/respond/machine/begin.ts'
import type { IncidentMessage } from '../lambdas/shared/bus-messages.ts'
import { policyIn } from './publish/responses-kind.ts'

const directory = mkdtempSync(join(tmpdir(), 'lanner-responses-test-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function file(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}
const policy = `
- action: Mark
  actionner: kubernetes:label
  parameters: {labels: {suspicious: "true"}}
- action: Cut
  actionner: lanner:quarantine
- action: End
  actionner: kubernetes:terminate
  parameters: {grace_period_seconds: 30}
- rule: Isolate
  match: {rules: [Crypto miner]}
  expires: 4h
  approve_within: 30m
  continue: false
  actions: [{action: Mark}, {action: Cut}]
- rule: Never reached
  match: {priority: ">=Notice"}
  actions: [{action: Mark}]
- {mode: auto, clusters: [prod], namespaces: [web, kube-system]}
- {mode: off, clusters: [dev]}
`
const responses = file('responses.yaml', policy)
const pod = { name: 'api-1', namespace: 'web', uid: 'u1', workload: 'ReplicaSet/api', labels: {} }
const lanner = { id: 'd1', incident: 'i1', cluster: 'prod', node: 'n1', sender: 'verified', pod }
const alert = {
  ...{ rule: 'Crypto miner', priority: 'Critical', tags: ['container'], source: 'syscall' },
  ...{ output: 'o', output_fields: { 'k8s.ns.name': 'web', 'k8s.pod.name': 'api-1' } },
}
const incident = {
  ...{ id: 'i1', state: 'open', title: 'Crypto miner', priority: 'Critical', cluster: 'prod' },
  ...{ node: 'n1', pod, sender: 'verified', tags: ['container'], rules: { 'Crypto miner': 1 } },
}
const test = (value: unknown, ...more: string[]) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return runLanner('responses', 'test', '--responses', responses, file('e.json', text), ...more)
}

it('shows rule, mode and actions for a detection, and why others do not answer', async () => {
  const { code, out } = await test({ ...alert, lanner })
  expect(code).toBe(0)
  expect(out.replaceAll(`${directory}/`, '').split('\n')).toEqual([
    'e.json: "Crypto miner" in prod/web/api-1',
    '  -> "Isolate" (line 10): auto: acts by itself; undone after 4h',
    '       Mark: labels of the pod: suspicious=true (mark)',
    '       Cut: cuts the network of the pod off, also by ClusterNetworkPolicy (contain)',
    '     "Never reached" (line 16): no: "Isolate" ended the search',
    '',
  ])
  const other = await test({ ...alert, rule: 'Shell', priority: 'Debug', lanner })
  expect(other.out).toContain('"Isolate" (line 10): no: it does not answer "Shell"')
  expect(other.out).toContain('no: the priority Debug is not >=Notice')
  expect(other.out).toContain('  nothing answers\n')
})

it.each([
  [
    'an event of the bus',
    {
      'detail-type': 'Incident Opened',
      detail: { id: 'm', reason: 'opened', incident, detection: { ...alert, lanner } },
    },
  ],
  ['the detail of one', { id: 'm', reason: 'opened', incident, detection: { ...alert, lanner } }],
  [
    'a detection on the bus',
    { 'detail-type': 'Detection', detail: { id: 'd', detection: { ...alert, lanner } } },
  ],
  ['an incident', incident],
  ['both, a line each', `${JSON.stringify(incident)}\n${JSON.stringify({ ...alert, lanner })}\n`],
])('takes %s', async (_, value) => {
  const { code, out } = await test(value, '--json')
  expect(code).toBe(0)
  for (const line of out.trim().split('\n')) {
    expect(JSON.parse(line)).toMatchObject({
      ...{ rule: 'Crypto miner', incident: 'i1' },
      rules: [{ rule: 'Isolate', answers: true, mode: 'auto' }, { answers: false }],
    })
  }
})

it('takes an alert of Falco, and says what it takes for granted', async () => {
  const { out } = await test(alert, '--cluster', 'prod')
  expect(out).toContain('assumed: that it is proven which node tells of it')
  expect(out).toContain('"Isolate" (line 10): auto')
  expect((await test(alert)).out).toContain('observe: plans, and changes nothing')
})

it('knows the guards that the pod itself decides, and what stops everything', async () => {
  const system = await test({ ...alert, lanner }, '--namespace', 'kube-system')
  expect(system.out).toContain('not done: the namespace kube-system is protected')
  expect(system.out).toContain('Cut: not reached: the step before it, "Mark", is not done')
  const unsure = await test({ ...alert, lanner: { ...lanner, sender: 'unverified' } })
  expect(unsure.out).toContain('observe: plans, and changes nothing')
  expect(unsure.out).toContain('it is not proven which node tells of it: not auto')
  const off = await test({ ...alert, lanner }, '--cluster', 'dev')
  expect(off.out).toContain('"Isolate" (line 10): no: its mode is off here')
  const suppressed = { id: 's', owner: 'o', reason: 'known', until: '2027-01-01T00:00:00Z' }
  const quiet = await test({ ...alert, lanner: { ...lanner, suppressed } })
  expect(quiet.out).toContain('nothing answers: it is suppressed: known')
  const { pod: _, ...host } = lanner
  const none = await test({ ...alert, output_fields: {}, lanner: host })
  expect(none.out).toContain('nothing answers: it is about no pod')
})

it('says what the function does', async () => {
  for (const cluster of ['prod', 'dev', 'other']) {
    for (const sender of ['verified', 'unverified'] as const) {
      const message = {
        incident: { ...incident, cluster, sender },
        detection: { ...alert, lanner },
      }
      const began = newResponses(message as unknown as IncidentMessage, policyIn(policy)!, 0)
      const said = JSON.parse((await test(message, '--json')).out).rules as {
        answers: boolean
        rule: string
        mode: string
      }[]
      expect(
        said.filter(({ answers }) => answers).map(({ rule, mode }) => ({ rule, mode })),
      ).toEqual(began.map(({ rule, mode }) => ({ rule: rule.name, mode })))
    }
  }
})

it('refuses what it cannot read', async () => {
  expect(await test({ some: 'thing' })).toMatchObject({
    code: 1,
    err: expect.stringContaining('it is no event'),
  })
  expect((await test('{')).code).toBe(2)
  expect((await runLanner('responses', 'test', 'x')).code).toBe(2)
  const bad = await runLanner(
    'responses',
    'test',
    '--responses',
    file('bad.yaml', '- {mode: atuo}'),
    responses,
  )
  expect(bad).toMatchObject({ code: 1, err: expect.stringContaining('did you mean auto?') })
  const hostile = await test({ ...alert, rule: '\x1b[31mred', lanner })
  expect(hostile.out).not.toContain('\x1b')
})

it('reads what lanner incident prints: the lines of responses ask nothing', async () => {
  const line = { response: 'r1', n: 0, rule: 'Isolate', type: 'Response Planned', text: 'x' }
  const lines = [line, { omittedLines: 3, omittedResponses: 0 }, { ...alert, lanner }]
  const { code, out } = await test(lines.map((one) => JSON.stringify(one)).join('\n'))
  expect(code).toBe(0)
  expect(out.match(/in prod\/web\/api-1/g)).toHaveLength(1)
  expect(out).not.toContain('"Isolate" in')
})
