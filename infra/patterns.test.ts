import { expect, it } from 'vitest'
import { busSource, detailTypes } from '../lambdas/shared/bus-messages.ts'
import { compilePattern, type JsonValue } from './local/event-pattern.ts'
import { topology } from './topology/index.ts'
import type { EventPattern } from './topology/types.ts'

/** One event of each kind: of Lanner, of an incident that is excepted, of AWS, of somebody else. */
const events: Readonly<Record<string, JsonValue>> = {
  ...Object.fromEntries(
    Object.values(detailTypes).map((type) => [
      type,
      {
        ...{ source: busSource, 'detail-type': type },
        // responses name their incident by its id alone
        detail: { incident: type.startsWith('Response') ? 'x' : { id: 'x' } },
      },
    ]),
  ),
  excepted: {
    ...{ source: busSource, 'detail-type': detailTypes.opened },
    detail: { incident: { id: 'x', suppressed: { id: 'ours' } } },
  },
  terminated: {
    ...{ source: 'aws.ec2', 'detail-type': 'EC2 Instance State-change Notification' },
    detail: { state: 'terminated' },
  },
  scaled: {
    ...{ source: 'aws.autoscaling', 'detail-type': 'EC2 Instance Terminate Successful' },
    detail: {},
  },
  interrupted: {
    ...{ source: 'aws.ec2', 'detail-type': 'EC2 Spot Instance Interruption Warning' },
    detail: {},
  },
  drained: {
    ...{ source: 'aws.autoscaling', 'detail-type': 'EC2 Instance-terminate Lifecycle Action' },
    detail: {},
  },
  attached: { source: 'aws.ec2', 'detail-type': 'EBS Volume Notification', detail: {} },
  ...Object.fromEntries(
    [detailTypes.opened, detailTypes.done, 'EC2 Spot Instance Interruption Warning'].map((type) => [
      `forged ${type}`,
      { source: 'someone', 'detail-type': type, detail: {} },
    ]),
  ),
}

const taken = (pattern: EventPattern) => {
  const matches = compilePattern(JSON.stringify(pattern))
  return Object.keys(events).filter((name) => matches(events[name]!))
}

const patterns: Readonly<Record<string, EventPattern>> = Object.fromEntries([
  ...Object.entries(topology.resources).flatMap(([name, resource]) =>
    resource.kind === 'route' ? [[name, resource.pattern]] : [],
  ),
  ...topology.functions.flatMap(({ stage, triggers }) =>
    triggers.flatMap((trigger) => (trigger.kind === 'bus' ? [[stage, trigger.pattern]] : [])),
  ),
])

/** What each filter lets through: whoever is behind it depends on this, and on nothing else coming. */
const wanted: Readonly<Record<string, readonly string[]>> = {
  'to-routing': [
    ...[detailTypes.opened, detailTypes.updated, detailTypes.closed],
    ...[detailTypes.health, detailTypes.delivery],
  ],
  'responses-to-routing': [
    ...[detailTypes.planned, detailTypes.approved, detailTypes.done, detailTypes.failed],
    ...[detailTypes.verified, detailTypes.expired],
  ],
  'to-responding': [detailTypes.opened, detailTypes.updated, 'excepted'],
  departures: ['terminated', 'scaled', 'interrupted', 'drained'],
}

/** A pattern with each of its parts taken away, and each of its texts changed. */
function* broken(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (const [at, one] of value.entries()) {
      if (value.length > 1) yield value.toSpliced(at, 1)
      for (const changed of broken(one)) yield value.with(at, changed)
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, one] of Object.entries(value)) {
      const { [key]: _, ...rest } = value as Readonly<Record<string, unknown>>
      if (Object.keys(rest).length > 0) yield rest
      yield { ...rest, [`${key}x`]: one }
      for (const changed of broken(one)) yield { ...value, [key]: changed }
    }
  } else yield typeof value === 'boolean' ? !value : `${value}x`
}

it.each(Object.keys(patterns))(
  '%s lets through what is meant, and any change of it is seen',
  (name) => {
    const pattern = patterns[name]!
    expect(taken(pattern).sort()).toEqual([...wanted[name]!].sort())
    const unseen: unknown[] = []
    for (const changed of broken(pattern)) {
      try {
        const now = taken(changed as EventPattern).sort()
        if (JSON.stringify(now) === JSON.stringify([...wanted[name]!].sort())) unseen.push(changed)
      } catch (error) {
        // one that EventBridge would not take
        expect((error as Error).name).toBe('InvalidPattern')
      }
    }
    expect(unseen).toEqual([])
  },
)
