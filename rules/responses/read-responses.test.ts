import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { modeOf } from './match-response.ts'
import { readResponses } from './read-responses.ts'

const read = (...texts: string[]) =>
  readResponses(texts.map((text, i) => ({ name: `${i}.yaml`, text })))
const mistakes = (...texts: string[]) =>
  read(...texts).files.flatMap(({ diagnostics }) =>
    diagnostics.map(
      ({ at, severity, message }) => `${at.line}:${at.column} ${severity} ${message}`,
    ),
  )
const rule = (actions: string, more = '') => `
- rule: r
  match: {rules: [Shell]}
${more}  actions:
${actions.replace(/^/gm, '    ')}
`

describe('a response file', () => {
  it('is read with its defaults', () => {
    const { ok, policy, unsupported } = read(
      rule(
        '- action: a\n  actionner: kubernetes:terminate\n- action: b\n  actionner: kubernetes:log',
      ),
    )
    expect(ok).toBe(true)
    expect(unsupported).toEqual([])
    expect(policy.rules).toMatchObject([
      {
        name: 'r',
        continue: true,
        dryRun: false,
        expiresSeconds: 3600,
        approveSeconds: 1800,
        match: { rules: ['Shell'], tags: [], fields: [] },
        steps: [
          {
            name: 'a',
            continue: false,
            ignoreErrors: false,
            action: { kind: 'terminate', graceSeconds: 1, ignoreStandalonePods: true },
          },
          { name: 'b', continue: true, action: { kind: 'logs', tailLines: 1000, previous: true } },
        ],
        at: { line: 2, column: 9 },
      },
    ])
    expect(policy.protect.namespaces).toContain('kube-system')
    expect(policy.limits.cluster).toEqual({ count: 20, seconds: 3600 })
  })

  it('changes nothing in a cluster unless it says so', () => {
    const { policy } = read(rule('- {action: a, actionner: kubernetes:terminate}'))
    expect(modeOf(policy, policy.rules[0]!, 'prod', 'shop')).toBe('observe')
  })

  it('merges blocks of one name as Talon does', () => {
    const { policy, ok } = read(
      `
- action: Cut
  actionner: kubernetes:networkpolicy
  parameters: {allow_cidr: [10.0.0.0/8], hard: false}
- action: Mark
  actionner: kubernetes:label
  parameters: {labels: {a: one, b: two}}
- rule: r
  match: {rules: [Shell]}
  actions:
    - {action: Cut, parameters: {allow_cidr: [fd00::/8], allow_namespaces: [green]}, ignore_errors: true}
    - {action: Mark, parameters: {labels: {b: "", c: three}}, continue: false}
`,
      '- {action: Cut, parameters: {hard: true}}',
    )
    expect(ok).toBe(true)
    expect(policy.rules[0]!.steps).toMatchObject([
      {
        ignoreErrors: true,
        action: {
          allowCidrs: ['10.0.0.0/8', 'fd00::/8'],
          allowNamespaces: ['green'],
          hard: true,
        },
      },
      { continue: false, action: { set: { a: 'one', b: null, c: 'three' } } },
    ])
  })

  it('lets a later file override keys of a rule', () => {
    const { policy } = read(
      rule('- {action: a, actionner: kubernetes:cordon}', '  continue: false\n'),
      '- {rule: r, dry_run: true, expires: 2h}',
    )
    expect(policy.rules).toMatchObject([
      { continue: false, dryRun: true, expiresSeconds: 7200, steps: [{ name: 'a' }] },
    ])
  })

  it('has modes, limits and protection', () => {
    const { policy, ok } = read(`${rule('- {action: a, actionner: kubernetes:cordon}')}
- {mode: approve}
- {mode: auto, rules: ["r*"], clusters: [test-*], namespaces: [shop, pay-*]}
- limits: {workload: 1/d, breaker: 3/10m, breaker_holds: 2h}
- protect: {namespaces: [vault], labels: [team=core]}
`)
    expect(ok).toBe(true)
    const mode = (cluster: string, namespace: string) =>
      modeOf(policy, policy.rules[0]!, cluster, namespace)
    expect([mode('test-1', 'shop'), mode('test-1', 'web'), mode('prod', 'pay-x')]).toEqual([
      'auto',
      'approve',
      'approve',
    ])
    expect(policy.limits).toMatchObject({
      workload: { count: 1, seconds: 86_400 },
      namespace: { count: 5, seconds: 3600 },
      breaker: { count: 3, seconds: 600 },
      breakerSeconds: 7200,
    })
    expect(policy.protect.namespaces).toEqual(expect.arrayContaining(['kube-system', 'vault']))
    expect(policy.protect.labels).toContain('team=core')
  })

  it('names what it cannot honour, item by item', () => {
    const { ok, unsupported } = read(`
- action: Sh
  actionner: kubernetes:exec
  additional_contexts: [aws]
- rule: r
  match: {rules: [Shell]}
  notifiers: [slack]
  actions:
    - action: Sh
    - {action: Now, actionner: kubernetes:terminate, parameters: {grace_period_seconds: 0}}
    - {action: Log, actionner: kubernetes:log, output: {target: aws:s3}}
`)
    expect(ok).toBe(true)
    expect(
      unsupported.map(({ item, what, at }) => `${at.line} ${item}: ${what.split(':')[0]}`),
    ).toEqual(
      expect.arrayContaining([
        '3 Sh: kubernetes',
        '4 Sh: additional_contexts is not honoured',
        '7 r: notifiers is not honoured',
        '10 Now: grace_period_seconds 0 becomes 1',
        '11 Log: output is not honoured',
      ]),
    )
  })

  it('is told all its mistakes at once, each with its place', () => {
    expect(
      mistakes(`
- rule: r
  match: {priority: ">=Sever", output_fields: [proc.name]}
  expires: 1y
  actions:
    - {action: a, actionner: kubernetes:terminat}
    - {action: b}
    - {action: c, actionner: kubernetes:label, parameters: {labels: {"no good": x}, level: pods}}
    - {action: d, actionner: kubernetes:networkpolicy, parameters: {allow_cidr: [10.0.0.0]}}
    - {action: e, actionner: "lanner:webhook", parameters: {url: "http://x"}}
    - {action: f, actionner: kubernetes:terminate, parameters: {min_healthy_replicas: 120%}}
- {mod: auto}
- {mode: autto}
- {mode: auto, rules: [q]}
- limits: {workload: many}
`),
    ).toEqual([
      '3:21 error there is no priority "Sever": one of Emergency, Alert, Critical, Error, Warning, Notice, Informational, Debug, also after <, >, <= or >=',
      '3:48 error "proc.name" is no comparison: FIELD=VALUE or FIELD!=VALUE',
      '4:12 error expires is a duration from 60s to 7d, like 30m, not "1y"',
      '6:30 error there is no actionner "kubernetes:terminat"; did you mean kubernetes:terminate?',
      '7:16 error the action "b" has no actionner, and no action of this name is defined',
      '8:70 error "no good" is no key that Kubernetes takes',
      '8:92 error level is one of pod, node, not "pods"',
      '9:30 warning kubernetes:networkpolicy isolates the one pod, both ways: not the egress of its whole workload',
      '9:82 error "10.0.0.0" is no address range like 10.0.0.0/8',
      '10:66 error url is an https address without name and password, not "http://x"',
      '11:87 error min_healthy_replicas is a number like 2 or a share like 50%, not "120%"',
      '12:3 error an item begins with one of action, rule, mode, limits, protect; did you mean mode?',
      '13:10 error there is no mode "autto": one of off, observe, approve, auto; did you mean auto?',
      '14:24 error no response rule is called "q"; did you mean "r"?',
      '15:22 error workload is a rate like 5/h or 10/5m, not "many"',
    ])
  })

  it('never fails otherwise, whatever it holds', () => {
    const word = fc.constantFrom(
      ...['action', 'rule', 'mode', 'limits', 'protect', 'match', 'actions', 'parameters'],
      ...[
        'actionner',
        'kubernetes:label',
        'labels',
        'auto',
        '__proto__',
        'constructor',
        '5/h',
        '*',
      ],
    )
    const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        word,
        fc.string({ maxLength: 6 }),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(word, tie('value'), { maxKeys: 5 }),
      ),
    })).value
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), (items) => {
        const { ok, policy, files } = read(JSON.stringify(items))
        expect(ok).toBe(files[0]!.diagnostics.every(({ severity }) => severity !== 'error'))
        expect(policy.protect.namespaces).toContain('kube-system')
      }),
      { numRuns: 300 },
    )
  })
})

const talon = join(
  process.env['LANNER_CORPUS'] ?? join(import.meta.dirname, '../../../shared/corpus'),
  'talon',
)
describe.skipIf(!existsSync(talon))("Falco Talon's example files (in LANNER_CORPUS)", () => {
  it('load, with what is not honoured named', () => {
    const { ok, policy, unsupported } = readResponses(
      ['rules.yaml', 'rules_override.yaml'].map((name) => ({
        name,
        text: readFileSync(join(talon, name), 'utf8'),
      })),
    )
    expect(ok).toBe(true)
    expect(policy.rules).toHaveLength(11)
    expect(unsupported).toHaveLength(22)
    const shell = policy.rules.find(({ name }) => name === 'Terminal shell in container')!
    expect(shell.steps[0]!.action).toMatchObject({ graceSeconds: 2, ignoreDaemonSets: true })
    expect(shell.match.fields).toEqual([
      [
        { field: 'k8s.ns.name', operator: '!=', value: 'kube-system' },
        { field: 'k8s.ns.name', operator: '!=', value: 'falco' },
      ],
    ])
  })
})
