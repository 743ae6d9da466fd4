import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDiagnostic } from '#load'
import { readRoutes } from './index.ts'

const good = `
match: all
redact: ['ACME-[0-9]+']
destinations:
  - destination: soc
    kind: slack
    channel: C0123456789
    secret: lanner/notify/slack
  - destination: prometheus
    kind: alertmanager
    urls: [http://am-0.monitoring:9093/, http://am-1.monitoring:9093]
    rate: 5/m
    timeout: 3s
  - {destination: mail, kind: sns, topic: 'arn:aws:sns:eu-central-1:123456789012:alerts'}
routes:
  - route: payments at night
    desc: they asked for it
    priority: critical
    namespace: payments-*
    label: {team: [payments, core]}
    time: {zone: Europe/Berlin, days: [mon-fri], hours: 09:00-17:30, outside: true}
    to: [soc, prometheus]
default: {to: mail}
`
const read = (text: string) => readRoutes({ name: 'routes.yaml', text })
const messages = (text: string) =>
  read(text).diagnostics.map(({ at, message }) => `${at.line} ${message}`)

it('reads a file with its defaults', () => {
  const { ok, routes, diagnostics } = read(good)
  expect(diagnostics).toEqual([])
  expect(ok).toBe(true)
  expect(routes).toMatchObject({
    matching: 'all',
    otherwise: ['mail'],
    redact: ['ACME-[0-9]+'],
    routes: [
      {
        name: 'payments at night',
        to: ['soc', 'prometheus'],
        match: {
          about: ['incident'],
          priority: 2,
          namespace: ['payments-*'],
          label: { team: ['payments', 'core'] },
          time: { zone: 'Europe/Berlin', from: 540, to: 1050, outside: true },
        },
      },
    ],
  })
  const [slack, alertmanager] = routes.destinations
  expect(slack).toMatchObject({ reach: 'internet', rate: { messages: 1, perMs: 1000 } })
  expect(alertmanager).toMatchObject({
    urls: ['http://am-0.monitoring:9093', 'http://am-1.monitoring:9093'],
    ...{ reach: 'vpc', rate: { messages: 5, perMs: 60_000 }, timeoutMs: 3000 },
    settings: { 'resend-every': '2m' },
  })
})

describe('mistakes', () => {
  const cases: [what: string, change: readonly [string, string], told: readonly string[]][] = [
    [
      'no default',
      ['default: {to: mail}\n', ''],
      [
        '1 default is missing: where everything goes that fits no route, such as {to: [soc]}',
        '14 no route leads to "mail"',
      ],
    ],
    [
      'an empty default',
      ['{to: mail}', '{to: []}'],
      ['14 no route leads to "mail"', '23 the default must name a destination'],
    ],
    [
      'a key',
      ['namespace:', 'namespaces:'],
      ['19 there is no key "namespaces" here; did you mean "namespace"?'],
    ],
    [
      'a destination',
      ['to: [soc, ', 'to: [sox, '],
      ['5 no route leads to "soc"', '22 there is no destination "sox"; did you mean "soc"?'],
    ],
    [
      'a kind',
      ['kind: slack', 'kind: slak'],
      ['6 there is no kind of destination "slak"; did you mean "slack"?'],
    ],
    [
      'a channel by name',
      ['C0123456789', '"#soc"'],
      [`7 channel is a channel's id, such as C0123456789 (not its name), not "#soc"`],
    ],
    [
      'no secret',
      ['    secret: lanner/notify/slack\n', ''],
      ['5 secret is missing: one in Secrets Manager, of "token", "url"'],
    ],
    [
      'a zone',
      ['Europe/Berlin', 'Europe/Berlni'],
      ['21 there is no time zone "Europe/Berlni": one such as Europe/Berlin'],
    ],
    ['hours', ['09:00-17:30', '09:00'], ['21 hours are like 09:00-17:30']],
    ['days', ['[mon-fri]', '[weekend]'], ['21 "weekend" is no day: mon to sun, or mon-fri']],
    ['a rate', ['5/m', 'often'], ['12 rate is like 1/s, 30/m or 500/h, not "often"']],
    ['a time-out', ['3s', '3h'], ['13 timeout is 1s to 60s, not 3h']],
    ['a URL', ['http://am-0', 'ftp://am-0'], ['11 a URL here begins with https://, not ftp:']],
    [
      'a login in a URL',
      ['http://am-0', 'http://me:pw@am-0'],
      ['11 a login belongs into the secret, not into the URL'],
    ],
    [
      'an ARN',
      ['arn:aws:sns', 'arn:aws:sqs'],
      ['14 topic is the ARN of an SNS topic, not "arn:aws:sqs:eu-central-1:123456789012:alerts"'],
    ],
    ['a pattern', ['ACME-[0-9]+', '(a'], ['3 "(a" is no RE2 pattern: missing closing ): `(a`']],
    [
      'a priority',
      ['priority: critical', 'priority: high'],
      [
        '18 there is no priority "high": one of Emergency, Alert, Critical, Error, Warning, Notice, Informational, Debug',
      ],
    ],
  ]
  it.each(cases)('%s', (_, [before, after], told) => {
    expect(good).toContain(before)
    expect(messages(good.replace(before, after))).toEqual(told)
  })

  it('what only responses have, and names that they do not have', () => {
    const named = (more: string) =>
      messages(good.replace('priority: critical', `priority: critical\n    ${more}`))
    expect(named('about: response\n    state: awaiting\n    mode: [auto, approve]')).toEqual([])
    expect(named('about: [incident, response]\n    outcome: un*')).toEqual([])
    expect(named('outcome: contained')).toEqual([
      '19 only responses have outcome: add about: response',
    ])
    expect(named('about: response\n    outcome: containd')).toEqual([
      '20 there is no outcome "containd"; did you mean "contained"?',
    ])
    expect(named('about: response\n    mode: off')).toEqual([
      '20 there is no mode "off": one of observe, approve, auto',
    ])
    expect(named('about: response\n    state: aproved')).toEqual([
      '20 there is no response state "aproved"; did you mean "approved"?',
    ])
  })

  it('are told all at once, with their line', () => {
    const text = good.replace('namespace:', 'namespaces:').replace('kind: sns', 'kind: snx')
    const { ok, diagnostics } = read(text)
    expect(ok).toBe(false)
    expect(diagnostics.length).toBe(2)
    expect(formatDiagnostic(diagnostics[0]!)).toMatch(/^routes\.yaml:14:\d+: error: [\s\S]*\^/)
  })

  it('plain http is for the own network', () => {
    const hook =
      '{destination: x, kind: webhook, url: http://x/, secret: lanner/notify/webhook, reach: REACH}'
    const text = (reach: string) =>
      good.replace('  - {destination: mail', `  - ${hook.replace('REACH', reach)}\n$&`)
    const unused = '14 no route leads to "x"'
    expect(messages(text('vpc'))).toEqual([unused])
    const plain = '14 in the internet it must be https://'
    expect(messages(text('internet'))).toEqual([unused, plain])
    const known = '14 there is no reach "aws": one of internet, vpc'
    expect(messages(text('aws'))).toEqual([unused, plain, known])
  })

  it('a secret of others', () => {
    const named = (name: string) => messages(good.replace('lanner/notify/slack', name))
    const wrong = [
      ...['lanner/respond/key', 'lanner/notify/pagerduty', 'x', 'lanner/notify/slacks'],
      'a/b/notify/slack',
    ]
    for (const name of wrong) {
      expect(named(name)).toEqual([
        '8 a secret of this kind is called lanner/notify/slack or lanner/notify/slack/NAME: its function may read no others',
      ])
    }
    expect(named('lanner/notify/slack/soc')).toEqual([])
    expect(named('acme/notify/slack')).toEqual([])
  })

  it('rules and tags that there are not', () => {
    const text = good.replace(
      'priority: critical',
      'rule: [Shel in container, Log*]\n    tag: host',
    )
    const known = { rules: ['Shell in container'], tags: ['container'] }
    const { diagnostics } = readRoutes({ name: 'r', text }, known)
    expect(diagnostics.map(({ message }) => message)).toEqual([
      'there is no rule "Shel in container"; did you mean "Shell in container"?',
      'there is no tag "host": one of container',
    ])
  })
})

it('whatever a file holds, there is an answer', () => {
  const pieces = fc.constantFrom(
    ...good.split(/(?<=[\n :,])/),
    '- ',
    '[',
    '{',
    '*a',
    '&a ',
    '\t',
    '~',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), (chosen) => {
      const result = read(chosen.join(''))
      // nothing is ok that has no default
      if (result.ok) expect(result.routes.otherwise.length).toBeGreaterThan(0)
    }),
    { numRuns: 500 },
  )
})
