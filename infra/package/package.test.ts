import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { readConfig } from '../config.ts'
import { topology } from '../topology/index.ts'
import { type Manifest, packageInstallation } from './package-installation.ts'
import { zipOf } from './zip-of.ts'

vi.setConfig({ hookTimeout: 240_000, testTimeout: 240_000 })

const config = readConfig({
  ...{ account: '111111111111', region: 'eu-central-1', response: true },
  clusters: [
    { name: 'here' },
    { name: 'far', region: 'us-east-1' },
    { name: 'm', account: '222222222222' },
  ],
})
const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'))
const directory = mkdtempSync(join(tmpdir(), 'lanner-package-'))
let manifest: Manifest

beforeAll(async () => {
  manifest = await packageInstallation(config, context, directory)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const templateOf = (file: string) => JSON.parse(readFileSync(join(directory, file), 'utf8'))
const functionsOf = (file: string) =>
  Object.values(templateOf(file).Resources as Record<string, { Type: string; Properties: never }>)
    .filter(({ Type }) => Type === 'AWS::Lambda::Function')
    .map(
      ({ Properties }) =>
        Properties as {
          Code: { S3Bucket: unknown; S3Key: string }
          FunctionName: string
          Environment: { Variables: Record<string, unknown> }
        },
    )

it('every function that a template names is a zip whose handler loads, cold and alone', () => {
  const names: string[] = []
  const times: [name: string, milliseconds: number, kibibytes: number][] = []
  for (const { file, assets } of manifest.stacks) {
    for (const { Code, FunctionName, Environment } of functionsOf(file)) {
      expect(Code.S3Bucket).toEqual({ Ref: 'AssetsBucket' })
      const path = join(directory, 'assets', Code.S3Key)
      expect(assets).toContain(`assets/${Code.S3Key}`)
      // what deploy.sh puts is what Lambda gets
      const into = join(directory, 'unpacked', FunctionName)
      mkdirSync(into, { recursive: true })
      execFileSync('unzip', ['-q', path, '-d', into])
      expect(execFileSync('unzip', ['-t', path], { encoding: 'utf8' })).toContain('No errors')
      const variables = Object.keys(Environment.Variables).map((key) => [key, 'https://x.test/1/x'])
      const start = performance.now()
      const kind = execFileSync(
        process.execPath,
        ['-e', "import('./index.mjs').then(({ handler }) => console.log(typeof handler))"],
        {
          cwd: into,
          encoding: 'utf8',
          timeout: 60_000,
          // no more than Lambda has
          env: {
            ...{ ...Object.fromEntries(variables), NODE_OPTIONS: '', AWS_REGION: 'eu-central-1' },
            ...{ AWS_LAMBDA_FUNCTION_NAME: FunctionName, HOME: into, PATH: '/usr/bin' },
          },
        },
      )
      times.push([FunctionName, performance.now() - start, statSync(path).size / 1024])
      expect(kind, FunctionName).toBe('function\n')
      names.push(FunctionName.replace('lanner-', ''))
    }
  }
  expect(names.sort()).toEqual(topology.functions.map(({ stage }) => stage).sort())
  if (process.env['LANNER_SHOW'] === '1') console.table(times)
})

it('templates need no bootstrapped account, and are of a size that CloudFormation takes', () => {
  for (const { file, bytes } of [...manifest.stacks, manifest.anyCluster]) {
    expect(bytes, file).toBeLessThan(1_000_000)
    expect(bytes).toBe(statSync(join(directory, file)).size)
    const text = readFileSync(join(directory, file), 'utf8')
    expect(text, file).not.toMatch(/[Bb]ootstrap|cdk-hnb659fds/)
  }
})

it('stacks come after those whose exports they import', () => {
  const known = new Set<string>()
  for (const { file, name } of manifest.stacks) {
    const template = templateOf(file)
    for (const [, wanted] of JSON.stringify(template).matchAll(/"Fn::ImportValue":"([^"]+)"/g)) {
      expect(known, `${name}: ${wanted}`).toContain(wanted)
    }
    for (const { Export } of Object.values(template.Outputs ?? {}) as {
      Export?: { Name: string }
    }[]) {
      if (Export !== undefined) known.add(Export.Name)
    }
  }
  expect(known.size).toBeGreaterThan(5)
})

it('the script puts every asset and deploys every stack that is of this account', () => {
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'aws'), `#!/bin/sh\nprintf '%s\\n' "$*" >> '${directory}/calls'\n`)
  chmodSync(join(bin, 'aws'), 0o755)
  const env = { PATH: `${bin}:/usr/bin:/bin` }
  execFileSync(join(directory, 'deploy.sh'), ['my-bucket'], { env, cwd: '/' })
  const calls = readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n')
  const puts = calls.filter((call) => call.startsWith('s3 cp'))
  expect(puts).toHaveLength(manifest.assets.length)
  for (const put of puts) {
    const [, , from, to] = put.split(' ')
    expect(existsSync(join(directory, from!)), put).toBe(true)
    expect(to).toBe(`s3://my-bucket/${from!.replace('assets/', '')}`)
  }
  const protection = calls.filter((call) => call.includes('update-termination-protection'))
  const deployed = calls.slice(puts.length).filter((call) => !protection.includes(call))
  // what has data is protected, as the CDK would; each after it is there
  for (const [at, call] of protection.entries()) {
    const [, name = ''] = /--stack-name (\S+)/.exec(call) ?? []
    const isKept = ['lanner-pipeline', 'lanner-response', 'lanner-routing'].includes(name)
    expect(call.includes(' --enable-termination-protection'), call).toBe(isKept)
    expect(call.includes(' --no-enable-termination-protection'), call).toBe(!isKept)
    expect(call).toContain(/--region \S+/.exec(deployed[at]!)![0])
    expect(calls.indexOf(call)).toBe(calls.indexOf(deployed[at]!) + 1)
  }
  expect(protection).toHaveLength(deployed.length)
  expect(deployed.map((call) => /--stack-name (\S+)/.exec(call)?.[1])).toEqual([
    ...['lanner-pipeline', 'lanner-response', 'lanner-routing', 'lanner-operations'],
    ...['lanner-cluster-far', 'lanner-cluster-here'],
  ])
  for (const call of deployed) {
    const [, file = ''] = /--template-file (\S+)/.exec(call) ?? []
    const { Parameters = {} } = templateOf(file)
    const given = [...call.matchAll(/--parameter-overrides (\w+)=my-bucket/g)].map(([, key]) => key)
    expect(given, call).toEqual(Object.keys(Parameters))
    const isFar = call.includes('cluster-far')
    expect(call).toContain(`--region ${isFar ? 'us-east-1' : 'eu-central-1'}`)
    // a template of more than 51,200 bytes needs a bucket of its own region
    expect(call.includes('--s3-bucket my-bucket'), call).toBe(!isFar)
    if (isFar) expect(statSync(join(directory, file)).size).toBeLessThan(51_200)
  }
  const script = readFileSync(join(directory, 'deploy.sh'), 'utf8')
  expect(script).toMatch(/# with credentials of the account 222222222222:\n# aws .*cluster-m /)
  expect(() => execFileSync(join(directory, 'deploy.sh'), { env, stdio: 'pipe' })).toThrow()
})

it('a zip holds what was put into it, and the same files make the same bytes', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9é-]{0,20}(\/[a-z]{1,8})?$/)
  const entry = fc.record({ name, content: fc.uint8Array({ maxLength: 3000 }) })
  const entries = fc.uniqueArray(entry, {
    ...{ minLength: 1, maxLength: 5, selector: ({ name: one }) => one.split('/')[0] },
  })
  const into = join(directory, 'zips')
  fc.assert(
    fc.property(entries, (files) => {
      rmSync(into, { recursive: true, force: true })
      mkdirSync(into)
      const zip = zipOf(files)
      expect(zipOf(files).equals(zip)).toBe(true)
      writeFileSync(join(into, 'a.zip'), zip)
      execFileSync('unzip', ['-q', '-d', join(into, 'out'), join(into, 'a.zip')])
      for (const { name: one, content } of files) {
        expect(readFileSync(join(into, 'out', one)).equals(content)).toBe(true)
      }
    }),
    { numRuns: 30 },
  )
})
