import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Alert, alertId, type Rule } from '#engine'
import { type Container, type LineageStep, lineageOf, type SyscallEvent, viaOf } from '#events'

/** Where events come from: what makes an alert's id unique, and the same again on a replay. */
export interface Origin {
  readonly cluster: string
  readonly node: string
  readonly boot: string
  /** Random 64-bit number of the sensor run, decimal. */
  readonly run: string
}

/** What Lanner adds to Falco's alert, under the key `lanner`. */
export interface LannerContext {
  readonly id: string
  readonly cluster?: string
  readonly node: string
  /** How the process came about, itself first. */
  readonly lineage: readonly LineageStep[]
  /** Where it runs, when that is a pod. */
  readonly pod?: {
    readonly name: string
    readonly namespace?: string
    readonly workload?: string
    readonly serviceAccount?: string
  }
  /** How the call was made, when not by an ordinary system call. */
  readonly via?: 'io_uring' | 'compat'
  /** File that says what to do. */
  readonly runbook?: string
}

/** Origin of a watch that starts now on this machine. */
export function thisRun(node: string): Origin {
  let boot = ''
  try {
    boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    // not Linux: alerts of a replay have the boot of their trace
  }
  return { cluster: '', node, boot, run: String(randomBytes(8).readBigUInt64LE()) }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function podOf(container: Container | undefined): LannerContext['pod'] {
  if (container?.podName === undefined) return undefined
  const { podName, namespace, workload, serviceAccount } = container
  return {
    name: podName,
    ...(namespace !== undefined && { namespace }),
    ...(workload !== undefined && { workload: `${workload.kind}/${workload.name}` }),
    ...(serviceAccount !== undefined && { serviceAccount }),
  }
}

/** The alert with Lanner's part in its alphabetical place. */
export function withContext(
  alert: Alert,
  rule: Rule,
  event: SyscallEvent,
  origin: Origin,
  runbook: string | undefined,
): Alert & { readonly lanner: LannerContext } {
  const via = viaOf(event)
  const pod = podOf(event.process.container)
  const { hostname, ...rest } = alert
  return {
    hostname,
    lanner: {
      id: alertId({ ...origin, seq: event.seq, rule: rule.name }, sha256),
      ...(origin.cluster !== '' && { cluster: origin.cluster }),
      node: origin.node,
      lineage: lineageOf(event.process),
      ...(pod !== undefined && { pod }),
      ...(via !== undefined && { via }),
      ...(runbook !== undefined && { runbook }),
    },
    ...rest,
  }
}
