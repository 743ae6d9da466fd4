import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  sampleAwaiting,
  sampleHealth,
  sampleMessage,
  sampleResponse,
} from '#testing/destinations/sample-messages.ts'
import { runLanner } from '#testing/run-lanner.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'routes-'))
  writeFileSync(
    join(folder, 'routes.yaml'),
    `destinations:
  - {destination: soc, kind: sns}
  - {destination: night, kind: pagerduty, secret: lanner/notify/pagerduty/night}
routes:
  - {route: at night, priority: error, time: {zone: UTC, hours: 18:00-08:00}, to: night}
default: {to: soc}
`,
  )
  const events = [
    { 'detail-type': 'Incident Opened', time: '2026-11-26T20:00:00Z', detail: sampleMessage() },
    { 'detail-type': 'Sensor Health', time: '2026-11-26T20:00:00Z', detail: sampleHealth },
  ]
  writeFileSync(join(folder, 'events.ndjson'), events.map((one) => JSON.stringify(one)).join('\n'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function lanner(...args: string[]) {
  const { code, out, err } = await runLanner('routes', 'test', ...args)
  return { code, out: out.replaceAll(folder, ''), err }
}
const routes = () => join(folder, 'routes.yaml')
const events = () => join(folder, 'events.ndjson')

it('shows where events go, and why', async () => {
  const { code, out } = await lanner('--routes', routes(), events())
  expect(code).toBe(0)
  expect(out).toBe(`/events.ndjson:1: night
  -> "at night" (line 5): fits: night
/events.ndjson:2: soc
     "at night" (line 5): it is about health
  -> default: no route fits: soc
`)
})

it('at another time', async () => {
  const at = ['--at', '2026-11-26T12:00:00Z', '--json']
  const { out } = await lanner('--routes', routes(), events(), ...at)
  const [first] = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(first).toMatchObject({ to: ['soc'], outcomes: [{ fits: false }, { fits: true }] })
  expect(first.outcomes[0].reason).toMatch(/not in its hours \(UTC\)/)
})

it('shows where goes what responses wait for and do, and what the bus can decide of it', async () => {
  const path = join(folder, 'responses.yaml')
  const own =
    '  - {route: approvals, about: response, state: awaiting, cluster: prod-*, to: night}\n'
  writeFileSync(path, readFileSync(routes(), 'utf8').replace('routes:\n', `routes:\n${own}`))
  const said = join(folder, 'responses.ndjson')
  const lines = [
    ['Response Planned', sampleAwaiting],
    ['Response Failed', sampleResponse(1)],
    ['Response Done', sampleResponse(2)],
  ].map(([type, detail]) => JSON.stringify({ 'detail-type': type, detail }))
  writeFileSync(said, lines.join('\n'))
  const { code, out } = await lanner('--routes', path, said)
  expect(code).toBe(0)
  expect(out.split('\n').filter((line) => line.startsWith('/'))).toEqual([
    '/responses.ndjson:1: night',
    '/responses.ndjson:2: soc',
    '/responses.ndjson:3: nobody',
  ])
  const listed = await lanner('--routes', path)
  expect(listed.out).toContain(
    '"approvals" -> night\n  by the bus, then the router: who is asked\n',
  )
  expect(listed.out).toContain('{"source":["lanner"],"detail-type":["Response Planned"]')
})

it('lists what the bus can decide', async () => {
  const { out } = await lanner('--routes', routes())
  expect(out).toContain('"at night" -> night\n  by the bus, then the router: the time of day\n')
  expect(out).toContain('"priority":["Emergency","Alert","Critical","Error"]')
})

it('says what is wrong', async () => {
  expect((await lanner()).code).toBe(2)
  writeFileSync(join(folder, 'bad.yaml'), 'destinations: []\n')
  const bad = await lanner('--routes', join(folder, 'bad.yaml'))
  expect([bad.code, bad.err]).toEqual([1, expect.stringContaining('default is missing')])
})
