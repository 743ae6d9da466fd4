import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkAws } from './aws.ts'
import { whyNot } from './file-access.ts'
import { checkKubernetes } from './kubernetes.ts'
import { checkMemoryLimit } from './memory-limit.ts'
import { checkSpool } from './spool.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lanner-doctor-'))
  chmodSync(directory, 0o755)
})
afterEach(() => rmSync(directory, { recursive: true }))

const mine = { uid: process.getuid!(), gid: process.getgid!() }
const other = { uid: mine.uid + 1, gid: mine.gid + 1 }

function file(name: string, mode: number): string {
  const path = join(directory, name)
  writeFileSync(path, '')
  chmodSync(path, mode)
  return path
}

describe('whether a user may use a file', () => {
  it('goes by owner, group and others, as the first that fits says', () => {
    const path = file('f', 0o604)
    expect(whyNot(path, ['read'], mine)).toBe('')
    expect(whyNot(path, ['read'], other)).toBe('')
    expect(whyNot(path, ['read'], { ...other, gid: mine.gid })).toMatch(/may not read .*mode 604/)
    expect(whyNot(path, ['read', 'write'], other)).toMatch(/may not write/)
  })

  it('needs every directory above it', () => {
    const path = file('f', 0o644)
    chmodSync(directory, 0o700)
    expect(whyNot(path, ['read'], other)).toBe(`user ${other.uid} may not enter ${directory}`)
  })

  it('tells what is not there', () => {
    expect(whyNot(join(directory, 'none'), ['read'])).toMatch(/does not exist$/)
  })
})

describe('the spool', () => {
  const states = (path: string, limit = 1) => checkSpool(path, limit).map(({ state }) => state)

  it('is made where there is none', () => {
    expect(states(join(directory, 'a/b'))).toEqual(['ok', 'ok'])
  })

  it('must be a directory that the agent may write to', () => {
    const path = join(directory, 'spool')
    mkdirSync(path)
    chmodSync(path, 0o755)
    const [check] = checkSpool(path, 1)
    expect(check).toMatchObject({ state: 'missing', advice: expect.stringMatching(/^chown 65534/) })
    chmodSync(path, 0o777)
    expect(states(path)).toEqual(['ok', 'ok'])
    expect(states(file('f', 0o666))[0]).toBe('missing')
  })

  it('needs the room that it may take', () => {
    expect(states(directory, Number.MAX_SAFE_INTEGER)[1]).toBe('limited')
  })
})

describe('Kubernetes', () => {
  const settings = { mode: 'auto', url: '', ca: '/none/ca', token: '/none/token' } as const
  const pod = { KUBERNETES_SERVICE_HOST: '10.0.0.1' }
  const states = (...args: Parameters<typeof checkKubernetes>) =>
    checkKubernetes(...args).map(({ state }) => state)

  it('is no need outside a pod, unless somebody says so', () => {
    expect(states(settings, {})).toEqual(['ok'])
    expect(states({ ...settings, mode: 'off' }, pod)).toEqual(['ok'])
    expect(states({ ...settings, mode: 'on' }, {})).toEqual(['missing'])
  })

  it('needs files that the agent may read', () => {
    expect(states(settings, pod)).toEqual(['ok', 'missing', 'missing'])
    const ca = file('ca', 0o644)
    const token = file('token', 0o600)
    const [api, , unreadable] = checkKubernetes({ ...settings, ca, token }, pod)
    expect(api!.found).toBe('in a pod, API at https://10.0.0.1:443')
    expect(unreadable).toMatchObject({
      state: 'missing',
      advice: expect.stringContaining('fsGroup: 65534'),
    })
  })
})

describe('AWS', () => {
  const states = (region: string, environment: Parameters<typeof checkAws>[1]) =>
    checkAws({ stream: 's', region }, environment).map(({ state }) => state)

  it('needs a region and some source of credentials', () => {
    expect(states('', {})).toEqual(['missing', 'limited'])
    expect(states('', { AWS_DEFAULT_REGION: 'eu-west-1' })[0]).toBe('missing')
    expect(states('eu-west-1', { AWS_EC2_METADATA_DISABLED: 'true' })).toEqual(['ok', 'missing'])
  })

  it('takes the region that the ARN of the stream gives, before that of the pod', () => {
    const stream = 'arn:aws:kinesis:eu-central-1:111111111111:stream/s'
    expect(checkAws({ stream, region: '' }, { AWS_REGION: 'us-east-1' })[0]).toMatchObject({
      ...{ state: 'ok', found: 'eu-central-1, by kinesis.stream' },
    })
  })

  it('names the source and no secret', () => {
    const keys = { AWS_ACCESS_KEY_ID: 'AKIDSECRET', AWS_SECRET_ACCESS_KEY: 'very-secret' }
    const checks = checkAws({ stream: 's', region: '' }, { AWS_REGION: 'eu-west-1', ...keys })
    expect(checks.map(({ state }) => state)).toEqual(['ok', 'ok'])
    expect(JSON.stringify(checks)).not.toMatch(/secret/i)
  })

  it('needs a token file that the agent may read', () => {
    const role = (mode: number) => ({
      AWS_ROLE_ARN: 'arn:aws:iam::1:role/r',
      AWS_WEB_IDENTITY_TOKEN_FILE: file(`token${mode}`, mode),
    })
    expect(states('r', role(0o644))[1]).toBe('ok')
    expect(states('r', role(0o600))[1]).toBe('missing')
  })
})

describe('the memory limit', () => {
  const limited = (path: string, limit: string) => {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    writeFileSync(join(directory, path), `${limit}\n`)
  }

  it('is the least of all groups around, of either version', () => {
    mkdirSync(join(directory, 'pods/one'), { recursive: true })
    limited('pods/memory.max', String(100 * 2 ** 20))
    limited('pods/one/memory.max', String(512 * 2 ** 20))
    expect(checkMemoryLimit('0::/pods/one\n', directory)).toMatchObject({
      state: 'limited',
      found: expect.stringMatching(/^100 MiB/),
    })
    limited('memory/pods/memory.limit_in_bytes', String(256 * 2 ** 20))
    expect(checkMemoryLimit('4:cpu,memory:/pods\n0::/\n', directory)).toMatchObject({
      state: 'ok',
      found: expect.stringMatching(/^256 MiB/),
    })
  })

  it('may be none', () => {
    limited('memory/memory.limit_in_bytes', '9223372036854771712')
    limited('memory.max', 'max')
    expect(checkMemoryLimit('4:memory:/\n0::/\n', directory).found).toMatch(/^none/)
    expect(checkMemoryLimit('', directory).state).toBe('ok')
  })
})
