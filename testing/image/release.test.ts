import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { whyNoImage } from '../../collector/image/build.ts'
import { isHelmBuilt } from '../../collector/image/helm.ts'
import { releaseFiles, writeRelease } from '../../collector/image/release.ts'
import { npmComponents, sha256 } from '../../collector/image/sbom.ts'

const long = process.env['LANNER_LONG'] === '1'
const reason = long ? whyNoImage() : 'LANNER_LONG is not set'
const source = { version: '9.8.7', revision: 'f'.repeat(40), created: '2026-01-01T00:00:00.000Z' }

describe('packages of npm in a bill of materials', () => {
  const lock = JSON.parse(
    readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'),
  ) as { packages: Record<string, { dev?: boolean; inBundle?: boolean }> }
  const components = npmComponents(JSON.stringify(lock))

  it('are all that are not for development, by name, version and digest', () => {
    const shipped = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && !dev)
    expect(components.length).toBe(shipped.length)
    expect(components.map(({ name }) => name)).toContain('@aws-sdk/client-kinesis')
    expect(components.map(({ name }) => name)).not.toContain('vitest')
    for (const { version, hashes } of components) {
      expect(version).toMatch(/^\d+\.\d+\.\d+/)
      for (const { content } of hashes ?? []) expect(content).toMatch(/^[0-9a-f]{128}$/)
    }
    // what lies inside another package has no digest of its own
    const own = shipped.filter(([, { inBundle }]) => !inBundle)
    expect(components.filter(({ hashes }) => hashes !== undefined).length).toBe(own.length)
  })

  it('have addresses that can be looked up', () => {
    const scoped = components.find(({ name }) => name === '@aws-sdk/client-kinesis')
    expect(scoped?.purl).toMatch(/^pkg:npm\/%40aws-sdk\/client-kinesis@\d/)
  })
})

describe.skipIf(reason !== '')(`a release ${reason}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'lanner-release-test-'))
  const out = join(directory, 'out')
  const read = (name: string) => readFileSync(join(out, name))

  beforeAll(() => writeRelease(out, source), 400_000)
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it('is complete, and its checksums are right', () => {
    expect(readdirSync(out).sort()).toEqual([
      'SHA256SUMS',
      'lanner-9.8.7-amd64.tar.gz',
      'lanner-9.8.7-arm64.tar.gz',
      'lanner-9.8.7-image.tar',
      'lanner-9.8.7-offline.tar',
      'lanner-9.8.7-offline.tar.sha256',
      'lanner-9.8.7-rules.tar.gz',
      'lanner-9.8.7.tgz',
      'provenance.json',
      'sbom.cdx.json',
    ])
    expect(() => execFileSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: out })).not.toThrow()
    const bundle = join(directory, 'bundle')
    execFileSync('mkdir', [bundle])
    execFileSync('tar', ['-xf', join(out, 'lanner-9.8.7-offline.tar'), '-C', bundle])
    const inside = join(bundle, 'lanner-9.8.7-offline')
    expect(() =>
      execFileSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: inside }),
    ).not.toThrow()
  })

  it('is the same when it is made again', () => {
    const again = releaseFiles(source)
    for (const [name, bytes] of again)
      expect([name, sha256(bytes)]).toEqual([name, sha256(read(name))])
  }, 400_000)

  it('has one image for both architectures, and a chart that names it by digest', () => {
    const layout = join(directory, 'layout')
    execFileSync('mkdir', [layout])
    execFileSync('tar', ['-xf', join(out, 'lanner-9.8.7-image.tar'), '-C', layout])
    const top = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'))
    const { digest } = top.manifests[0]
    const index = JSON.parse(
      readFileSync(join(layout, 'blobs/sha256', digest.replace('sha256:', '')), 'utf8'),
    )
    const platforms = index.manifests.map((each: { platform: object }) => each.platform)
    expect(platforms).toEqual([
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
    ])
    execFileSync('tar', ['-xzf', join(out, 'lanner-9.8.7.tgz'), '-C', directory])
    const values = parse(readFileSync(join(directory, 'lanner/values.yaml'), 'utf8'))
    expect(values.image.digest).toBe(digest)
    expect(readFileSync(join(directory, 'lanner/Chart.yaml'), 'utf8')).toContain('version: 9.8.7')
    const provenance = JSON.parse(read('provenance.json').toString())
    expect(provenance.subject[0].digest.sha256).toBe(digest.replace('sha256:', ''))
  })

  it.skipIf(!isHelmBuilt())('has a chart that Helm takes as it is', async () => {
    const { helmPath } = await import('../../collector/image/helm.ts')
    const chart = join(out, 'lanner-9.8.7.tgz')
    const args = ['template', 'lanner', chart, '--set', 'cluster=prod']
    const text = execFileSync(helmPath, args, { encoding: 'utf8' })
    expect(text).toMatch(/image: ghcr\.io\/lanner\/lanner@sha256:[0-9a-f]{64}/)
  })

  it('names every package that is in it', () => {
    const sbom = JSON.parse(read('sbom.cdx.json').toString())
    const names = sbom.components.map(({ purl }: { purl: string }) => purl)
    expect(new Set(names).size).toBe(names.length)
    for (const name of [
      'node',
      'libbpf-dev',
      'libelf-dev',
      'zlib1g-dev',
      'libc6',
      'libstdc%2B%2B6',
    ]) {
      for (const architecture of ['amd64', 'arm64']) {
        const found = names.find(
          (each: string) => each.includes(`/${name}@`) && each.includes(`arch=${architecture}`),
        )
        expect(found, `${name} ${architecture}`).toBeDefined()
      }
    }
  })

  it('installs on a machine with systemd, over an older one, and goes again', () => {
    const archive = join(directory, 'machine')
    const machine = join(directory, 'root')
    execFileSync('mkdir', [archive, machine])
    execFileSync('tar', ['-xzf', join(out, 'lanner-9.8.7-amd64.tar.gz'), '-C', archive])
    const install = (...args: string[]) =>
      execFileSync(join(archive, 'install.sh'), ['--root', machine, ...args], { encoding: 'utf8' })
    expect(install()).toContain('programs\tok')
    expect(install()).not.toContain('edit ')
    for (const path of ['opt/lanner/start', 'opt/lanner/node', 'opt/lanner/collector/main.mjs']) {
      expect(existsSync(join(machine, path)), path).toBe(true)
    }
    expect(statSync(join(machine, 'opt/lanner/start')).mode & 0o777).toBe(0o755)
    const unit = readFileSync(join(machine, 'etc/systemd/system/lanner.service'), 'utf8')
    const started = /^ExecStart=(.*)$/m.exec(unit)?.[1]
    expect(existsSync(join(machine, started!))).toBe(true)
    expect(install('--remove')).toContain('/var/lib/lanner')
    const left = execFileSync('find', [machine, '-type', 'f'], { encoding: 'utf8' })
    expect(left.trim()).toBe(join(machine, 'etc/lanner/agent.yaml'))
  })
})

it('the unit gives the sensor its seven capabilities', () => {
  const path = fileURLToPath(
    new URL('../../collector/image/systemd/lanner.service', import.meta.url),
  )
  const set = /^CapabilityBoundingSet=(.*)$/m.exec(readFileSync(path, 'utf8'))?.[1]?.split(' ')
  expect(set?.map((name) => name.replace('CAP_', '')).sort()).toEqual([
    ...['BPF', 'DAC_READ_SEARCH', 'KILL', 'PERFMON', 'SETGID', 'SETUID', 'SYS_PTRACE'],
  ])
})
