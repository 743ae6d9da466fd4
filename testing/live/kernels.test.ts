import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { whyNoDebian } from '../../collector/image/debian.ts'
import { missingTools } from '../../collector/image/parts.ts'
import {
  type GuestRun,
  type Kernel,
  missingMachines,
  runGuest,
  whatBoots,
} from '../kernels/guest.ts'
import { features, type KernelResult, kernels, resultOf } from '../kernels/matrix.ts'
import { supportTable } from '../kernels/support-table.ts'

const architectures = ['amd64', 'arm64'] as const
const long = process.env['LANNER_LONG'] === '1'
const reason = long ? whyNot() : 'LANNER_LONG is not set'
const root = new URL('../../', import.meta.url)

/** Installs what is missing where it may; "" when the matrix can run. */
function whyNot(): string {
  const debian = whyNoDebian()
  if (debian !== '') return debian
  const missing = () => [...missingTools(architectures), ...missingMachines(architectures)]
  if (missing().length > 0 && process.getuid?.() === 0) {
    const install = [
      'install',
      '-y',
      '--no-install-recommends',
      ...missing(),
      'ipxe-qemu',
      'xz-utils',
    ]
    execFileSync('apt-get', ['update'], { stdio: 'ignore' })
    execFileSync('apt-get', install, {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
  }
  return missing().length === 0 ? '' : `apt-get install ${missing().join(' ')}`
}

const resultsFile = new URL('testing/kernels/results.json', root)
const known = (): readonly KernelResult[] => JSON.parse(readFileSync(resultsFile, 'utf8'))

/** Architecture and series; what this run did not try stays as it was found. */
function keyOf({ architecture, release }: KernelResult): string {
  const [, major = '', minor = ''] = /^(\d+)\.(\d+)/.exec(release) ?? []
  return `${architecture} ${major.padStart(3)}.${minor.padStart(3)}`
}

function fieldsOf(run: GuestRun, rule: string) {
  return run.alerts.find((alert) => alert.rule === rule)?.output_fields
}

describe.skipIf(reason !== '')(`stock kernels ${reason}`, () => {
  const results: KernelResult[] = []

  afterAll(() => {
    const tried = new Set(results.map(keyOf))
    const others = known().filter((result) => !tried.has(keyOf(result)))
    const rows = [...others, ...results].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    writeFileSync(resultsFile, `${JSON.stringify(rows, undefined, 2)}\n`)
    writeFileSync(new URL('docs/support.md', root), supportTable(rows))
  })

  it.for(kernels)('$series on $architecture', { timeout: 400_000 }, async (kernel, context) => {
    const boot = whatBoots(kernel)
    if (typeof boot === 'string') {
      // the archive drops old suites in time: then nothing is claimed
      context.skip(boot)
      return
    }
    const run = await runGuest(kernel, boot)
    const result = resultOf(kernel, run)
    results.push(result)
    writeFileSync(
      new URL(`build/guest-${kernel.series}-${kernel.architecture}.log`, root),
      run.console,
    )
    expect(run.release, run.console.slice(-2000)).not.toBe('')
    if (kernel.series === '5.10') expectRefusal(run, result)
    else expectSight(kernel, run, result)
  })
})

function expectRefusal(run: GuestRun, result: KernelResult): void {
  expect(result.loads).toBe(false)
  expect(result.words).toContainEqual(expect.stringMatching(/lacks bpf_loop \(Linux 5\.17\)/))
  expect(run.doctor?.passed).toBe(false)
}

function expectSight({ series }: Kernel, run: GuestRun, result: KernelResult): void {
  expect(run.unmade).toEqual([])
  expect(result).toMatchObject({ loads: true, restarts: true })
  for (const group of Object.keys(features)) {
    // the tracepoint came with 6.3
    const expected = group === 'io_uring' && series === '6.1' ? [] : 'all'
    expect([group, result.seen[group]]).toEqual([group, expected])
  }
  if (series === '6.1') {
    expect(result.words).toEqual([expect.stringMatching(/^io_uring: no io_uring_submit_req/)])
  }
  expectValues(run)
}

/** What the events say, not only that there were some: registers, flags and kernel objects. */
function expectValues(run: GuestRun): void {
  expect(run.exitCode).toBe(0)
  expect(run.doctor?.passed).toBe(true)
  expect(run.agent).toContain('CapEff: 0000000000000000')
  expect(run.agent).toContain('Uid: 65534 65534 65534 65534')
  expect(run.sensor).toContain('CapBnd: 000000c0000800e4')
  expect(fieldsOf(run, 'exec')).toMatchObject({
    'proc.exepath': '/probes',
    'proc.exe': 'probe-child',
    'proc.args': 'exit argument 4711',
    'proc.env[PROBE]': 'yes',
    'proc.pname': 'probes',
    'user.uid': 0,
  })
  expect(fieldsOf(run, 'open by a link')).toMatchObject({
    'fd.name': '/tmp/probe-target',
    'proc.cwd': '/tmp/',
  })
  expect(fieldsOf(run, 'open a directory')).toMatchObject({
    'evt.arg.flags': 'O_DIRECTORY|O_RDONLY|O_CLOEXEC',
  })
  expect(fieldsOf(run, 'openat2')).toMatchObject({
    'evt.arg.resolve': 'RESOLVE_NO_MAGICLINKS',
  })
  expect(fieldsOf(run, 'mount')).toMatchObject({
    'evt.arg.dir': '/tmp/probe-directory',
    'evt.arg.type': 'tmpfs',
    'evt.arg.flags': 'NOEXEC',
  })
  expect(fieldsOf(run, 'connect')?.['fd.name']).toMatch(/^127\.0\.0\.1:\d+->127\.0\.0\.1:4711$/)
  expect(fieldsOf(run, 'connect over IPv6')?.['fd.name']).toMatch(/^::1:\d+->::1:4712$/)
  expect(fieldsOf(run, 'chown')).toMatchObject({ 'evt.arg.gid': '4713' })
  expect(fieldsOf(run, 'container')?.['container.id']).toMatch(/^[0-9a-f]{12}$/)
  expect(fieldsOf(run, 'process older than the sensor')?.['proc.exepath']).toBe('/probes')
}
