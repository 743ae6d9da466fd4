import { eventTypeId, eventTypes } from '#events'
import type { Delivery } from '#load'
import { describedCalls, undeliveredParams } from '../collector/agent/call-arguments.ts'
import { syscallNumber } from '../collector/agent/syscalls-x64.ts'

/** Events of processes, whose arguments come from the process table. */
const processEvents = new Set(['execve', 'execveat', 'procexit'])
const described = new Set(describedCalls)

/** What only a container runtime or the Kubernetes API could say: neither is asked yet. */
const emptyFields = new Set([
  ...['container.image', 'container.image.repository', 'container.image.tag'],
  ...['container.image.digest', 'k8s.pod.name', 'k8s.ns.name', 'k8s.pod.label', 'k8s.pod.labels'],
])

/** What the sensor of this build gives to rules. */
export const sensorDelivery: Delivery = {
  emptyFields,
  delivers: (name) => processEvents.has(name) || syscallNumber(name) !== undefined,
  missingArguments(name) {
    if (processEvents.has(name)) return []
    if (described.has(name)) return undeliveredParams(name)
    return eventTypes[eventTypeId(name)]?.params.map((param) => param.name) ?? []
  },
}
