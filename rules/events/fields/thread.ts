import { capabilityText } from '../capability-names.ts'
import { type Binders, plain } from './binder.ts'

/** The calling thread. */
export const threadFields: Binders = {
  'thread.tid': plain(({ tid }) => tid),
  'thread.ismain': plain(({ tid, process }) => tid === process.pid),
  // Only the leader's virtual id is known: it is that of the process.
  'thread.vtid': plain(({ tid, process }) => (tid === process.pid ? process.vpid : undefined)),
  'thread.nametid': plain(({ tid, process }) => `${process.comm}${tid}`),
  'thread.cap_effective': plain(({ capEffective }) => capabilityText(capEffective)),
  'thread.cap_permitted': plain(({ capPermitted }) => capabilityText(capPermitted)),
  'thread.cap_inheritable': plain(({ process }) => capabilityText(process.capInheritable)),
  'thread.cgroups': plain(({ process: { cgroups } }) =>
    cgroups.length === 0 ? undefined : cgroups.join(' '),
  ),
  'thread.cgroup': (subsystem) => {
    const prefix = `${subsystem}=`
    return ({ process }) =>
      process.cgroups.find((cgroup) => cgroup.startsWith(prefix))?.slice(prefix.length)
  },
}
