import { expect, it } from 'vitest'
import { readRoutes } from '#routes'
import { convertFalcosidekick } from './convert-falcosidekick.ts'

const config = `
listenport: 2801
debug: false
customfields:
  env: prod
slack:
  webhookurl: "https://hooks.slack.com/services/T/B/secretvalue"
  footer: "x"
  minimumpriority: warning
alertmanager:
  hostport: "http://am-0:9093, http://am-1:9093/"
  expiresafter: 0
  minimumpriority: ""
pagerduty:
  routingkey: ""
aws:
  region: eu-central-1
  sns:
    topicarn: arn:aws:sns:eu-central-1:123456789012:falco
    minimumpriority: critical
loki:
  hostport: http://loki:3100
  minimumpriority: error
unheard:
  of: it
`

const { routes, fates, secrets } = convertFalcosidekick(
  { name: 'config.yaml', text: config },
  'http://s:2801',
)

it('writes routes that are right', () => {
  const { ok, routes: read, diagnostics } = readRoutes({ name: 'routes.yaml', text: routes })
  expect(diagnostics).toEqual([])
  expect(ok).toBe(true)
  expect(read.destinations.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
    ...['slack slack', 'alertmanager alertmanager', 'sns sns', 'falcosidekick falcosidekick'],
  ])
  expect(read.destinations[1]!.urls).toEqual(['http://am-0:9093', 'http://am-1:9093'])
  expect(read.routes.map(({ name, match }) => [name, match.priority])).toEqual([
    ...[
      ['slack', 4],
      ['alertmanager', undefined],
      ['aws.sns', 2],
      ['other outputs', undefined],
    ],
  ])
})

it('says of every key what became of it', () => {
  const told = fates.map(({ key, line, fate }) => `${line} ${key} ${fate}`)
  expect(told).toEqual([
    '2 listenport dropped',
    '3 debug dropped',
    '5 customfields.env dropped',
    '7 slack.webhookurl converted',
    '8 slack.footer dropped',
    '9 slack.minimumpriority converted',
    '11 alertmanager.hostport converted',
    '12 alertmanager.expiresafter dropped',
    '13 alertmanager.minimumpriority converted',
    '15 pagerduty.routingkey dropped',
    '17 aws.region dropped',
    '19 aws.sns.topicarn converted',
    '20 aws.sns.minimumpriority converted',
    '22 loki.hostport reachable',
    '23 loki.minimumpriority reachable',
    '25 unheard.of dropped',
  ])
  expect(fates.every(({ why }) => why.length >= 3)).toBe(true)
})

it('copies no secret', () => {
  expect(routes).not.toContain('secretvalue')
  expect(JSON.stringify(fates)).not.toContain('secretvalue')
  expect(secrets).toEqual({ 'lanner/notify/slack': ['url'] })
})

it('without anything switched on, Falcosidekick itself is the destination', () => {
  const { routes: text } = convertFalcosidekick(
    { name: 'c', text: 'slack:\n  webhookurl: ""\n' },
    'http://s:2801',
  )
  expect(readRoutes({ name: 'r', text }).routes.otherwise).toEqual(['falcosidekick'])
})

it('tells what is no configuration, with its place', () => {
  expect(convertFalcosidekick({ name: 'c.yaml', text: '- a\n' }, 'http://s').problems).toEqual([
    'c.yaml:1:1: a configuration of Falcosidekick is a map',
  ])
  expect(convertFalcosidekick({ name: 'c.yaml', text: 'a: [\n' }, 'http://s').problems[0]).toMatch(
    /^c\.yaml:2:1: /,
  )
})
