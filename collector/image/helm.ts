import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheDirectory } from './debian.ts'

// Helm itself, from its Go module: what renders the chart here is what renders it for you.

const version = '3.22.0'
const directory = join(cacheDirectory, `helm-${version}`)
/** Where the built Helm is. */
export const helmPath = join(directory, 'helm')
const chart = join(import.meta.dirname, 'chart')
const BUILD_LIMIT_MS = 1_200_000

export function isHelmBuilt(): boolean {
  return existsSync(helmPath)
}

/** Why Helm cannot be had; "" when it is there or can be built. */
export function whyNoHelm(): string {
  if (isHelmBuilt()) return ''
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' })
    return ''
  } catch {
    return 'no Go to build Helm with'
  }
}

/** Builds Helm into the cache unless it is there: some minutes on two cores. */
export async function buildHelm(): Promise<void> {
  if (isHelmBuilt()) return
  const half = `${directory}.${process.pid}`
  mkdirSync(half, { recursive: true })
  try {
    await promisify(execFile)(
      'go',
      ['install', '-trimpath', '-ldflags=-s -w', `helm.sh/helm/v3/cmd/helm@v${version}`],
      {
        cwd: half,
        env: { GOTOOLCHAIN: 'auto', ...process.env, GOBIN: half, GOFLAGS: '-mod=mod' },
        timeout: BUILD_LIMIT_MS,
      },
    )
    mkdirSync(directory, { recursive: true })
    renameSync(join(half, 'helm'), helmPath)
  } finally {
    rmSync(half, { recursive: true, force: true })
  }
}

function run(args: readonly string[], input?: string): string {
  return execFileSync(helmPath, args, { encoding: 'utf8', stdio: 'pipe', input: input ?? '' })
}

/** The chart's objects as YAML; throws with Helm's words. `values` is YAML or JSON. */
export function render(values: string, namespace = 'lanner'): string {
  const options = ['--namespace', namespace, '--values', '-']
  return run(['template', 'lanner', chart, ...options], values)
}

/** What `helm lint` says of the chart; throws when it finds a mistake. */
export function lint(values: string): string {
  return run(['lint', '--strict', chart, '--values', '-'], values)
}
