import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const version = /k8s\.io\/kubernetes (v[\d.]+)/
const programs = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
} as const

/** Paths of the built programs. */
export type Programs = Readonly<Record<keyof typeof programs, string>>

function places(): { directory: string; found: Programs } {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  const hash = createHash('sha256')
  for (const name of ['go.mod', 'go.sum'])
    hash.update(readFileSync(join(import.meta.dirname, name)))
  const directory = join(cache, 'lanner', 'kubernetes', hash.digest('hex').slice(0, 16))
  const found = Object.fromEntries(
    Object.keys(programs).map((name) => [name, join(directory, name)]),
  ) as Programs
  return { directory, found }
}

/** The programs, if they are built already. */
export function builtPrograms(): Programs | undefined {
  const { found } = places()
  return Object.values(found).every((path) => existsSync(path)) ? found : undefined
}

/**
 * Builds API server, controllers and etcd from the Go module beside this file, unless they are built:
 * about ten minutes on two cores, into the user's cache. Needs Go and its module proxy.
 */
export async function buildPrograms(): Promise<Programs> {
  const { directory, found } = places()
  mkdirSync(directory, { recursive: true })
  const [, release = ''] = version.exec(readFileSync(join(import.meta.dirname, 'go.mod'), 'utf8'))!
  const [major, minor] = release.slice(1).split('.')
  const stamp = { gitVersion: release, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' }
  const stamps = Object.entries(stamp).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  )
  for (const [name, path] of Object.entries(found)) {
    if (existsSync(path)) continue
    const half = `${path}.${process.pid}`
    try {
      await promisify(execFile)(
        'go',
        [
          ...['build', '-mod=readonly', '-trimpath', '-ldflags', `-s -w ${stamps.join(' ')}`],
          ...['-o', half, programs[name as keyof typeof programs]],
        ],
        { cwd: import.meta.dirname, env: { GOTOOLCHAIN: 'auto', ...process.env } },
      )
      renameSync(half, path)
    } finally {
      rmSync(half, { force: true })
    }
  }
  return found
}

if (import.meta.main) console.log(await buildPrograms())
