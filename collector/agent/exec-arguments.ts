import { type ArgValue, decodeBytes, eventTypeId, eventTypes } from '#events'
import { Item } from './layout.ts'
import type { RingEvent } from './ring-event.ts'

const filename = eventTypes[eventTypeId('execve')]!.params.findIndex(
  ({ name }) => name === 'filename',
)

/** Argument `index` of a successful exec: all but the name as given follow from the new image. */
export function execArgument({ record }: RingEvent, index: number): ArgValue {
  if (index !== filename) return undefined
  const bytes = record.bytes(Item.arg0)
  return bytes === undefined ? undefined : decodeBytes(bytes)
}

/** Argument `index` of an exec that failed: the caller goes on, only the name is the call's own. */
export function failedExecArgument(event: RingEvent, index: number): ArgValue {
  const name = eventTypes[event.type]?.params[index]?.name
  if (name === 'res') return event.result
  if (name === 'filename') return event.textArgument(0) ?? event.textArgument(1)
  return undefined
}
