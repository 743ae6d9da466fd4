import { readFileSync } from 'node:fs'
import type { Container } from '#events'
import { ContainerTable } from './containers.ts'
import { keepFresh, NameTable } from './name-table.ts'
import { isPrivileged } from './privileged.ts'
import type { ExecRecord } from './process-records.ts'
import { ProcessTable } from './process-table.ts'
import type { EventContext } from './ring-event.ts'
import type { SensorLink } from './sensor-link.ts'
import { SocketMemory } from './socket-memory.ts'
import { accountsUnder, UserTable } from './users.ts'

/** Milliseconds between rounds of name lookups. */
const NAME_INTERVAL = 60_000

export interface Tables {
  readonly processes: ProcessTable
  readonly containers: ContainerTable
  readonly context: EventContext
  /** Resolves when the names that rules ask for were looked up once. */
  readonly namesReady: Promise<void>
  /** Looks up other names from now on. */
  useHostNames(hostNames: readonly string[]): void
}

/** What the agent remembers between events, filled through the sensor where that needs privilege. */
export function createTables(link: SensorLink, hostNames: readonly string[]): Tables {
  const containers = new ContainerTable()
  let names = new NameTable({ names: hostNames })
  let fresh = hostNames.length > 0 ? keepFresh(names, NAME_INTERVAL) : undefined
  const users = new UserTable({
    host: accountsUnder(),
    readRootFile: (pid, file) => link.readRootFile(pid, file),
    now: () => performance.now(),
  })
  const hostCapabilities = boundingSetOfInit()
  const containerOf = (record: ExecRecord): Container | undefined => {
    const container = containers.of(record.cgroups)
    // a runtime's own process comes first, with more rights: the container's process 1 decides
    if (container !== undefined && (container.privileged === undefined || record.vpid === 1)) {
      containers.describe(container.fullId, { privileged: privileged(record) })
    }
    return container
  }
  const privileged = (record: ExecRecord) => {
    const { capBounding, seccompMode, namespaces } = record
    const facts = { capBounding, seccompMode, userNamespace: namespaces.user }
    // devices cost a look by the sensor: only where the rest says yes
    if (!isPrivileged({ ...facts, hostDevices: undefined }, hostCapabilities)) return false
    return isPrivileged({ ...facts, hostDevices: link.countDevices(record.pid) }, hostCapabilities)
  }
  return {
    processes: new ProcessTable({ containerOf }),
    containers,
    namesReady: names.refresh(),
    useHostNames(others) {
      fresh?.stop()
      names = new NameTable({ names: others })
      fresh = others.length > 0 ? keepFresh(names, NAME_INTERVAL) : undefined
    },
    context: {
      sockets: new SocketMemory(),
      user: (uid, process) => users.user(uid, process),
      group: (gid, process) => users.group(gid, process),
      namesOf: (ip) => names.namesOf(ip),
    },
  }
}

function boundingSetOfInit(): bigint {
  try {
    const digits = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/1/status', 'utf8'))?.[1]
    return BigInt(`0x${digits ?? '0'}`)
  } catch {
    return 0n
  }
}
