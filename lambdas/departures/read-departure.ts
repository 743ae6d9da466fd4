/** A machine that goes, as AWS tells it. */
export interface Departure {
  readonly instance: string
  readonly reason: string
  /** ISO 8601. */
  readonly time: string
}

/** An event of the account's own bus; nothing of it is certain. */
export interface AwsEvent {
  readonly source?: unknown
  readonly 'detail-type'?: unknown
  readonly time?: unknown
  readonly detail?: unknown
}

const spot = 'EC2 Spot Instance Interruption Warning'
const stateChange = 'EC2 Instance State-change Notification'
const terminations = [
  'EC2 Instance-terminate Lifecycle Action',
  'EC2 Instance Terminate Successful',
] as const

/** States in which a machine runs no more, or soon will not. */
const endStates = ['shutting-down', 'terminated', 'stopping', 'stopped'] as const

/**
 * Reads who departs of an event; `undefined` when nobody does. Which events come
 * here is in `infra/topology/pipeline.ts`.
 *
 * Source: Amazon EC2 User Guide, EventBridge events for EC2 and for Spot interruption; Amazon EC2 Auto
 * Scaling User Guide, event reference.
 */
export function readDeparture(event: AwsEvent): Departure | undefined {
  const { detail, time } = event
  const kind = event['detail-type']
  if (typeof detail !== 'object' || detail === null) return undefined
  const facts = detail as Readonly<Record<string, unknown>>
  const isEnd =
    kind === spot ||
    terminations.some((one) => one === kind) ||
    (kind === stateChange && endStates.some((state) => state === facts['state']))
  if (!isEnd) return undefined
  const instance = facts['instance-id'] ?? facts['EC2InstanceId']
  if (typeof instance !== 'string' || !/^i-[0-9a-f]{1,32}$/.test(instance)) return undefined
  const state = kind === stateChange ? `: ${facts['state']}` : ''
  return { instance, reason: `${kind}${state}`, time: typeof time === 'string' ? time : '' }
}
