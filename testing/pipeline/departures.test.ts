import { expect, it } from 'vitest'
import { topology } from '../../infra/topology/index.ts'
import { readDeparture } from '../../lambdas/departures/read-departure.ts'

it('what the bus gives to the stage of departures is what it reads', () => {
  const { triggers } = topology.functions.find(({ stage }) => stage === 'departures')!
  const patterns = triggers.flatMap((trigger) => (trigger.kind === 'bus' ? [trigger.pattern] : []))
  const types = patterns.flatMap((pattern) => pattern['detail-type'] as readonly string[])
  const instance = 'i-0123456789abcdef0'
  const detail = { 'instance-id': instance, EC2InstanceId: instance, state: 'terminated' }
  const unread = types.filter(
    (type) => readDeparture({ 'detail-type': type, detail }) === undefined,
  )
  expect(unread).toEqual([])
  expect(types).toHaveLength(4)
})
