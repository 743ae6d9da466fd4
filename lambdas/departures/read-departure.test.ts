import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AwsEvent, readDeparture } from './read-departure.ts'

const instance = 'i-0123456789abcdef0'
const event = (type: string, detail: object): AwsEvent => ({
  ...{ source: 'aws.ec2', 'detail-type': type, time: '2026-11-26T18:00:00Z', detail },
})
const state = (name: string) =>
  event('EC2 Instance State-change Notification', { 'instance-id': instance, state: name })

const departing: readonly (readonly [string, AwsEvent])[] = [
  ['a termination', state('shutting-down')],
  ['a stop', state('stopping')],
  [
    'a spot interruption',
    event('EC2 Spot Instance Interruption Warning', {
      ...{ 'instance-id': instance, 'instance-action': 'terminate' },
    }),
  ],
  [
    'a scaling in',
    event('EC2 Instance-terminate Lifecycle Action', {
      ...{ EC2InstanceId: instance, AutoScalingGroupName: 'g', LifecycleTransition: 't' },
    }),
  ],
  ['its end', event('EC2 Instance Terminate Successful', { EC2InstanceId: instance })],
]

describe('a departure', () => {
  it.each(departing)('is %s', (_, event) => {
    expect(readDeparture(event)).toMatchObject({ instance, time: '2026-11-26T18:00:00Z' })
  })

  it('is no other change, and none without a machine', () => {
    expect(readDeparture(state('running'))).toBeUndefined()
    expect(readDeparture(state('pending'))).toBeUndefined()
    expect(readDeparture(event('EC2 Instance Terminate Successful', {}))).toBeUndefined()
    expect(
      readDeparture(event('EC2 Instance Terminate Successful', { EC2InstanceId: 'a/../b' })),
    ).toBeUndefined()
  })

  it('is read of anything without a mistake', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...departing.map(([, event]) => event['detail-type'])),
        fc.anything(),
        (type, any) => {
          readDeparture({ 'detail-type': type, detail: any })
        },
      ),
    )
  })
})
