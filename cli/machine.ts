import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { kernelFeatures } from './doctor/kernel-features.ts'

/** One thing live detection needs, or would like. */
export interface Check {
  readonly name: string
  /** `missing` rules live detection out; `limited` names what will not be seen. */
  readonly state: 'ok' | 'limited' | 'missing'
  readonly found: string
  /** What to do about it; "" when nothing. */
  readonly advice: string
}

/** The variable is set in the image, which has the same files elsewhere. */
export const buildDirectory =
  process.env['LANNER_BUILD'] ?? fileURLToPath(new URL('../build/', import.meta.url))
export const sensorPath = `${buildDirectory}lanner-sensor`
export const addonPath = `${buildDirectory}ring.node`
export const agentPath = `${buildDirectory}agent.mjs`
/** Directory of the fleet's agent, whole: program, its parts and the addon. */
export const collectorPath = `${buildDirectory}collector`
export const actorPath = `${buildDirectory}lanner-actor`

const BTF = '/sys/kernel/btf/vmlinux'
const CAP_PERFMON = 38n
const CAP_BPF = 39n
const CAP_SYS_ADMIN = 21n
/** bpf_copy_from_user_task and bpf_loop, which the sensor needs, came with it. */
const OLDEST_KERNEL = [5, 18] as const

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function kernelRelease(): string {
  return read('/proc/sys/kernel/osrelease').trim()
}

function checkKernel(): Check {
  const release = kernelRelease()
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10))
  const isOld = major < OLDEST_KERNEL[0] || (major === OLDEST_KERNEL[0] && minor < OLDEST_KERNEL[1])
  const wanted = OLDEST_KERNEL.join('.')
  return {
    name: 'kernel',
    state: release === '' || isOld ? 'missing' : 'ok',
    found: release === '' ? 'not Linux' : `Linux ${release}`,
    advice: release === '' || isOld ? `live detection needs Linux ${wanted} or newer` : '',
  }
}

function checkBtf(): Check {
  const found = existsSync(BTF)
  return {
    name: 'kernel types (BTF)',
    state: found ? 'ok' : 'missing',
    found: found ? BTF : `no ${BTF}`,
    advice: found
      ? ''
      : 'use a kernel built with CONFIG_DEBUG_INFO_BTF=y (all major distributions since 2021)',
  }
}

function checkPrivilege(): Check {
  const effective = BigInt(
    `0x${/CapEff:\s*([0-9a-f]+)/.exec(read('/proc/self/status'))?.[1] ?? '0'}`,
  )
  const has = (capability: bigint) => ((effective >> capability) & 1n) === 1n
  const isRoot = process.getuid?.() === 0
  const enough = isRoot && ((has(CAP_BPF) && has(CAP_PERFMON)) || has(CAP_SYS_ADMIN))
  return {
    name: 'privilege',
    state: enough ? 'ok' : 'missing',
    found: enough
      ? 'root with CAP_BPF and CAP_PERFMON'
      : isRoot
        ? 'root without CAP_BPF and CAP_PERFMON'
        : `user ${process.getuid?.()}`,
    advice: enough
      ? ''
      : 'run as root: only the small sensor keeps the privilege, rules and events are read as nobody',
  }
}

/** Of the kernel's type information; names are followed and preceded by a zero byte. */
function checkFeatures(): Check[] {
  if (!existsSync(BTF)) return []
  const types = readFileSync(BTF)
  return kernelFeatures((name) => types.includes(`\0${name}\0`, 0, 'latin1'))
}

function checkBuild(): Check {
  const missing = [sensorPath, addonPath, agentPath].filter((path) => !existsSync(path))
  return {
    name: 'sensor',
    state: missing.length === 0 ? 'ok' : 'missing',
    found: missing.length === 0 ? 'built' : 'not built',
    advice: missing.length === 0 ? '' : 'bash cli/bootstrap.sh (it says what it needs)',
  }
}

function checkArchitecture(): Check {
  const ok = process.arch === 'x64' || process.arch === 'arm64'
  return {
    name: 'architecture',
    state: ok ? 'ok' : 'missing',
    found: process.arch,
    advice: ok ? '' : 'the sensor knows the system calls of x86-64 and arm64',
  }
}

function checkCompat(): Check {
  const enabled = existsSync('/proc/sys/abi/vsyscall32')
  return {
    name: '32-bit system calls',
    state: 'ok',
    found: enabled ? 'mapped to their 64-bit counterparts' : 'kernel has none',
    advice: '',
  }
}

function checkCgroups(): Check {
  const unified = existsSync('/sys/fs/cgroup/cgroup.controllers')
  return {
    name: 'control groups',
    state: 'ok',
    found: unified
      ? 'version 2: containers are known by it'
      : 'version 1 or hybrid: containers are known by the group of any controller',
    advice: '',
  }
}

/** What this system is and lets us do, without looking into its kernel. */
export function examineSystem(): readonly Check[] {
  return [
    ...[checkKernel(), checkArchitecture(), checkBtf(), checkPrivilege()],
    ...[checkCompat(), checkCgroups()],
  ]
}

/** Everything that decides what can be detected live here. */
export function examineMachine(): readonly Check[] {
  return [...examineSystem(), checkBuild(), ...checkFeatures()]
}

/** Why live detection cannot run; empty when it can. */
export function obstacles(): readonly Check[] {
  return examineMachine().filter(({ state }) => state === 'missing')
}
