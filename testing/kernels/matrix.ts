import type { DebianArchitecture } from '../../collector/image/debian.ts'
import type { GuestRun, Kernel } from './guest.ts'

const series = [
  { series: '5.10', suite: 'bullseye', packageOf: (each: string) => `linux-image-cloud-${each}` },
  { series: '6.1', suite: 'bookworm', packageOf: (each: string) => `linux-image-cloud-${each}` },
  {
    series: '6.12',
    suite: 'bookworm',
    packageOf: (each: string) => `linux-image-6.12-cloud-${each}`,
  },
  {
    series: 'newest',
    suite: 'trixie-backports',
    packageOf: (each: string) => `linux-image-cloud-${each}`,
  },
] as const

/** Every stock kernel that Debian's package archive offers, for both architectures. */
export const kernels: readonly Kernel[] = (['amd64', 'arm64'] as const).flatMap((architecture) =>
  series.map(({ packageOf, ...rest }) => ({
    ...rest,
    architecture,
    metapackage: packageOf(architecture),
  })),
)

/** Groups of probes, as the support table shows them; the names are those of rules in probes.yaml. */
export const features: Readonly<Record<string, readonly string[]>> = {
  processes: [
    ...['exec', 'failed exec', 'exit', 'exec from memory', 'memfd_create'],
    'process older than the sensor',
  ],
  files: [
    ...['open', 'open for writing', 'open by a link', 'open a directory', 'openat2', 'failed open'],
    ...['rename', 'link', 'symlink', 'chmod', 'chown', 'unlink', 'mkdir'],
  ],
  network: [
    ...['bind', 'listen', 'connect', 'accept', 'dup', 'datagram'],
    ...['connect over IPv6', 'connect to a path'],
  ],
  privilege: ['ptrace', 'setuid', 'unshare', 'setns', 'setsid', 'mount', 'umount', 'module'],
  containers: ['container', 'upper layer of an overlay'],
  '32-bit calls': ['open by a 32-bit call'],
  io_uring: ['open by io_uring', 'connect by io_uring'],
}

/** What one kernel showed; kept in results.json, from which the support table is made. */
export interface KernelResult {
  readonly architecture: DebianArchitecture
  readonly release: string
  /** Whether the sensor loads; else what it says that is missing. */
  readonly loads: boolean
  readonly words: readonly string[]
  /** Of each group: what was made and seen, or `all`. */
  readonly seen: Readonly<Record<string, 'all' | readonly string[]>>
  /** A killed agent was followed by another one. */
  readonly restarts: boolean
}

export function resultOf({ architecture }: Kernel, run: GuestRun): KernelResult {
  const fired = new Set(run.alerts.map(({ rule }) => rule))
  const seen = Object.entries(features).map(([group, names]) => {
    const found = names.filter((name) => fired.has(name))
    return [group, found.length === names.length ? ('all' as const) : found] as const
  })
  const watching = run.log.filter((line) => line.startsWith('lanner: watching')).length
  return {
    architecture,
    release: run.release,
    loads: watching > 0,
    words: run.log
      .filter((line) => /lanner-sensor: (?!agent|restart)/.test(line))
      .map((line) => line.replace('lanner-sensor: ', '')),
    seen: Object.fromEntries(seen),
    restarts: watching > 1,
  }
}
