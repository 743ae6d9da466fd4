import { parseFieldName, type SyscallEvent, syscallSource, type Value } from '#events'

/** What a rule that names `field` would see of the event. */
export function readField(event: SyscallEvent, field: string): Value {
  const name = parseFieldName(field)
  if ('problem' in name) throw new Error(`${field}: ${name.problem}`)
  return syscallSource.bind(name.ref)?.(event)
}
