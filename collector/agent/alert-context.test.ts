import { describe, expect, it } from 'vitest'
import { alertOf } from '#engine'
import { syscallSource } from '#events'
import { loadRules } from '#load'
import { makeContainer, makeEvent, makeProcess } from '#testing/events.ts'
import { thisRun, withContext } from './alert-context.ts'

const text = '- rule: r\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: NOTICE\n'
const [rule] = loadRules([{ name: 'r.yaml', text }]).ruleSet.rules

describe("what Lanner adds to Falco's alert", () => {
  it('is lineage, pod and an id that a replay makes again', () => {
    const parent = makeProcess({ pid: 1, comm: 'init' })
    const container = makeContainer({
      podName: 'web-1',
      namespace: 'prod',
      workload: { kind: 'Deployment', name: 'web' },
      serviceAccount: 'default',
    })
    const event = makeEvent('open', { process: makeProcess({ comm: 'sh', parent, container }) })
    const origin = { ...thisRun('n1'), cluster: 'c' }
    const make = () =>
      withContext(
        alertOf(rule!, event, syscallSource, { hostname: 'n1' }),
        rule!,
        event,
        origin,
        undefined,
      ).lanner
    expect(make()).toMatchObject({
      cluster: 'c',
      node: 'n1',
      lineage: [{ name: 'sh' }, { name: 'init' }],
      pod: {
        name: 'web-1',
        namespace: 'prod',
        workload: 'Deployment/web',
        serviceAccount: 'default',
      },
    })
    expect(make().id).toBe(make().id)
  })
})
