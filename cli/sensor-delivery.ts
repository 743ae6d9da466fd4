import { eventTypeId, eventTypes } from '#events'
import type { Delivery } from '#load'
import { describedCalls, undeliveredParams } from '../collector/agent/call-arguments.ts'
import { syscallNumber } from '../collector/agent/syscalls-x64.ts'

/** Events of processes, whose arguments come from the process table. */
const processEvents = new Set(['execve', 'execveat', 'procexit'])
const described = new Set(describedCalls)

/**
 * What the sensor of this build gives to rules. No field waits for someone to fill it; those of the
 * image, the mounts and the pod of a container come from the Kubernetes API, and have no value where
 * there is none.
 */
export const sensorDelivery: Delivery = {
  emptyFields: new Set(),
  delivers: (name) => processEvents.has(name) || syscallNumber(name) !== undefined,
  missingArguments(name) {
    if (processEvents.has(name)) return []
    if (described.has(name)) return undeliveredParams(name)
    return eventTypes[eventTypeId(name)]?.params.map((param) => param.name) ?? []
  },
}
