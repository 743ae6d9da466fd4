import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type BatchInfo,
  decodeBatch,
  encodeBatch,
  encodeText,
  eventTypes,
  type Process,
  type SyscallEvent,
} from '#events'
import { anyEvents } from '#testing/arbitrary-events.ts'
import { makeEvent, makeFile, makeProcess } from '#testing/events.ts'
import { createRedactor } from './redact.ts'

const redactor = createRedactor({ patterns: [] })
const args = (comm: string, ...args: string[]) =>
  redactor.process(makeProcess({ comm, args })).args.join(' | ')

describe('redaction of arguments', () => {
  it.each([
    ['psql', ['--password', 'hunter2', '-x'], '--password | [redacted] | -x'],
    ['app', ['--db-password=hunter 2'], '--db-password=[redacted]'],
    ['app', ['-token', 'abc', '--api.key', 'd e'], '-token | [redacted] | --api.key | [redacted]'],
    ['app', ['--ask-password', '--verbose'], '--ask-password | --verbose'],
    ['mysql', ['-uroot', '-phunter2', '-p', 'db'], '-uroot | -p[redacted] | -p | db'],
    ['mkdir', ['-phunter2', '-p', 'db'], '-phunter2 | -p | db'],
    ['sshpass', ['-p', 'hunter2', 'ssh', 'h'], '-p | [redacted] | ssh | h'],
    ['curl', ['-u', 'me:hunter2', '-sS'], '-u | me:[redacted] | -sS'],
    ['env', ['PGPASSWORD=a&b', 'psql'], 'PGPASSWORD=[redacted] | psql'],
    ['sh', ['-c', 'TOKEN=abc exec run'], '-c | TOKEN=[redacted] exec run'],
    ['sh', ['-c', "mysql -u root -p'x' db"], '-c | mysql -u root -p[redacted] db'],
    ['sh', ['-c', 'x --secret "a b" --y z'], '-c | x --secret [redacted] --y z'],
    ['sh', ['-c', 'PASSWORD=$(cat f) TOKEN=$T x'], '-c | PASSWORD=$(cat f) TOKEN=$T x'],
    ['git', ['clone', 'https://me:pw@h.io/r'], 'clone | https://me:[redacted]@h.io/r'],
    ['redis-cli', ['-u', 'redis://:pw@h:1/0'], '-u | redis://:[redacted]@h:1/0'],
    ['curl', ['https://h/?a=1&token=x&b=2'], 'https://h/?a=1&token=[redacted]&b=2'],
    ['curl', ['-H', 'Authorization: Bearer abc.d'], '-H | Authorization: Bearer [redacted]'],
    ['curl', ['-H', 'X-Vault-Token: s.abc'], '-H | X-Vault-Token: [redacted]'],
    ['curl', ['-d', '{"user":"u","password":"a b"}'], '-d | {"user":"u","password":[redacted]}'],
    [
      'aws',
      ['configure', 'set', 'aws_secret_access_key', 'x'],
      'configure | set | aws_secret_access_key | [redacted]',
    ],
  ])('%s %j', (comm, given, shown) => {
    expect(args(comm, ...given)).toBe(shown)
  })

  it.each([
    ['tar', ['-xzf', '/tmp/passwords.tgz', '--keep-newer-files']],
    ['ls', ['/etc/passwd', '/var/run/secrets/token', 'key.pem']],
    ['java', ['-Duser.name=me', '-Dfile.encoding=UTF-8', '-XX:+UseG1GC', '--max-tokens=100']],
    ['app', ['--token-file', '/x', '--key-type=rsa', 'KEYMAP=us', 'PWD=/root', 'OLDPWD=/']],
    ['ssh', ['git@github.com', '-i', '/root/.ssh/id_rsa', 'ssh://git@host:22/a@b']],
    ['nginx', ['-g', 'daemon off;']],
    ['constructor', ['undefined', 'x']],
    ['grep', ['-r', 'aws_secret_access_key', '/home', '--include=password=']],
    ['docker', ['pull', `alpine@sha256:${'0af1'.repeat(16)}`, 'http://host:8080/a@b']],
    ['git', ['checkout', '0123456789abcdef0123456789abcdef01234567']],
    ['kubectl', ['get', 'secret', 'my-token', '-o', 'jsonpath={.data.token}']],
    ['node', ['/usr/lib/node_modules/npm/bin/npm-cli.js', 'run', 'bearer']],
  ])('leaves %s %j', (comm, given) => {
    const process = makeProcess({ comm, args: given, env: ['PATH=/bin', 'HOME=/root'] })
    expect(redactor.process(process)).toBe(process)
  })
})

describe('a redactor', () => {
  it('takes ancestors with it, and gives one object for one process', () => {
    const init = makeProcess({ pid: 1 })
    const shell = makeProcess({ pid: 2, parent: init, env: ['DB_PASSWORD=a b'] })
    const child = makeProcess({ pid: 3, parent: shell })
    const shown = redactor.process(child)
    expect(shown).toEqual({ ...child, parent: { ...shell, env: ['DB_PASSWORD=[redacted]'] } })
    expect(shown.parent!.parent).toBe(init)
    expect(redactor.process(child)).toBe(shown)
    expect(redactor.process(shown)).toBe(shown)
    expect(redactor.process(makeProcess({ pid: 4, parent: shell })).parent).toBe(shown.parent)
  })

  it('shows the arguments of an exec as those of its process', () => {
    const process = makeProcess({ args: ['--password', 'my phrase'] })
    const event = redactor.event(
      makeEvent('execve', { process, args: { args: process.args.join(' ') } }),
    )
    const index = eventTypes[event.type]!.params.findIndex(({ name }) => name === 'args')
    expect(event.arg(index)).toBe('--password [redacted]')
  })

  it('counts what it changes', () => {
    const own = createRedactor({ patterns: [] })
    const event = makeEvent('open', { process: makeProcess({ args: ['--token=x'] }) })
    own.event(event)
    own.event(event)
    own.event(makeEvent('open'))
    expect(own.figures).toEqual({ processes: 1, events: 2 })
  })

  it('finds own patterns: their first group, or all', () => {
    const own = createRedactor({ patterns: ['badge (\\d+)', 'ACME-[0-9]+'] })
    expect(own.text('badge 17 of ACME-99, badge x')).toBe('badge [redacted] of [redacted], badge x')
    expect(own.event(makeEvent('open', { fd: makeFile('/t/ACME-7') })).fd).toMatchObject({
      name: '/t/[redacted]',
      rawName: '/t/[redacted]',
    })
  })

  it('refuses a pattern that is no RE2, by name', () => {
    expect(() => createRedactor({ patterns: ['fine', '(a'] })).toThrow(
      /^redact\.patterns: "\(a": missing closing \)/,
    )
  })
})

/** Letters and digits, with a beginning that occurs nowhere else. */
const secretText = fc
  .string({ unit: fc.constantFrom(...'abcxyzABCXYZ0123456789'), minLength: 8, maxLength: 24 })
  .map((text) => `zQ9${text}`)
const base64 = (
  length: number,
  unit = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
) => fc.string({ unit: fc.constantFrom(...unit), minLength: length, maxLength: length })
const filler = fc.oneof(
  fc.constantFrom(
    'run',
    '-v',
    '--all',
    '/etc/hosts',
    'a=b',
    'https://h.io/x?y=z',
    'x y',
    '',
    'ünï',
  ),
  fc.string({ unit: 'grapheme', maxLength: 10 }).map((text) => text.replace(/["'\\]/g, '')),
)

interface Planted {
  /** What must not be seen again. */
  readonly secret: string
  /** Arguments that hold it, in this order. */
  readonly args: readonly string[]
  /** May stand in a path, too. */
  readonly path?: string
  readonly comm?: string
}

const plain = (make: (secret: string) => Omit<Planted, 'secret'>) =>
  secretText.map((secret): Planted => ({ secret, ...make(secret) }))
/** Known by its form wherever it is. */
const formed = (token: fc.Arbitrary<string>) =>
  token.map((secret): Planted => ({ secret, args: [secret], path: `/tmp/${secret}` }))

const kinds: Readonly<Record<string, fc.Arbitrary<Planted>>> = {
  'a flag and its value': plain((s) => ({ args: ['--password', s] })),
  'a flag with its value': plain((s) => ({ args: [`--client-secret=${s}`] })),
  'a flag in a script': plain((s) => ({ args: ['-c', `run --api-key ${s} | tail`] })),
  'a password of mysql': plain((s) => ({ args: [`-p${s}`], comm: 'mysql' })),
  'a variable': plain((s) => ({ args: [`PGPASSWORD=${s}`] })),
  'a variable in a script': plain((s) => ({ args: ['-c', `export GH_TOKEN="${s}"; run`] })),
  'a password in a URL': plain((s) => ({
    args: [`https://user:${s}@h.io/r.git`],
    path: `/tmp/https:/user:${s}@h.io`,
  })),
  'a header': plain((s) => ({ args: ['-H', `Authorization: Bearer ${s}`] })),
  'a header of basic authorization': plain((s) => ({ args: [`authorization:Basic ${s}=`] })),
  'a member of JSON': plain((s) => ({ args: [`{"a":1,"token": "${s}"}`] })),
  'an access key id of AWS': formed(
    base64(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567').map((text) => `AKIA${text}`),
  ),
  // random ones have letters of both cases and digits; those of a test may not
  'a secret key of AWS': fc
    .tuple(base64(16), base64(9, 'ABCXYZ'), base64(9, 'abcxyz'), base64(6, '0123+/'))
    .filter(([, , , signs]) => /\d/.test(signs) && !/\/.*\/.*\//.test(signs))
    .map((parts): Planted => ({ secret: parts.join(''), args: [parts.join('')] })),
  'a JWT': formed(
    fc.tuple(base64(20), base64(40), base64(43)).map(([a, b, c]) => `eyJ${a}.eyJ${b}.${c}`),
  ),
  'a private key': base64(200).map((secret): Planted => {
    const block = `-----BEGIN RSA PRIVATE KEY-----\n${secret}\n-----END RSA PRIVATE KEY-----`
    return { secret, args: [block] }
  }),
  'the beginning of a private key': base64(100).map((secret): Planted => {
    return { secret, args: [`-----BEGIN PRIVATE KEY-----\n${secret}`] }
  }),
  'a token of GitHub': formed(base64(36).map((text) => `ghp_${text}`)),
  'a token of Slack': formed(base64(24).map((text) => `xoxb-123456-${text}`)),
  'a key of Google': formed(base64(35).map((text) => `AIza${text}`)),
}

/** An event that has a secret everywhere it can have one, with its surroundings. */
function plant({ secret, args, path, comm = 'bash' }: Planted, before: string[], after: string[]) {
  const everywhere = [...before, ...args, ...after]
  const name = path ?? '/tmp/x'
  const environment = [`HOME=/root`, `X_TOKEN=${secret}`, `P=1`]
  const parent = makeProcess({ pid: 7, comm, args: everywhere, env: environment })
  const process = makeProcess({
    ...{ parent, comm, args: everywhere, env: environment },
    ...(path !== undefined && { cwd: path, exe: path, exePath: path, script: path }),
    streams: [{ kind: 'file', name }],
  })
  const exec = { args: everywhere.join(' '), env: environment.join(' '), filename: name }
  const fd = makeFile(name)
  return [
    makeEvent('execve', { process, fd, args: exec, paths: { filename: name } }),
    makeEvent('open', { process, fd, args: { name }, paths: { name } }),
    // what is written, where the whole secret is in one argument
    makeEvent('write', { process, args: { data: encodeText(args.at(-1) ?? '') } }),
  ].slice(0, args.length === 1 && comm === 'bash' ? 3 : 2)
}

function textsOf(event: SyscallEvent): string[] {
  const found: string[] = []
  const see = (value: unknown): void => {
    if (typeof value === 'string') found.push(value)
    else if (value instanceof Uint8Array) found.push(Buffer.from(value).toString('latin1'))
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(see)
  }
  see(event)
  for (const index of eventTypes[event.type]!.params.keys()) {
    see(event.arg(index))
    see(event.absolutePath(index))
  }
  return found
}

const info: BatchInfo = {
  ...{ cluster: '', node: 'n', boot: 'b', run: 1n, sequence: 1, previous: undefined },
  ...{ sealedAt: 1n, rulesetHash: '', keyId: '', compression: 0 },
  counters: { seen: 0, filtered: 0, folded: 0, lost: {} },
}

describe('a secret in an event', () => {
  const surroundings = fc.array(filler, { maxLength: 3 })

  it.each(Object.entries(kinds))('does not survive: %s', (_, kind) => {
    fc.assert(
      fc.property(kind, surroundings, surroundings, (planted, before, after) => {
        const events = plant(planted, before, after)
        expect(events.flatMap(textsOf).join('\n')).toContain(planted.secret)
        const shown = events.map((event) => redactor.event(event))
        const bytes = encodeBatch(info, shown, (body) => body)
        const arrived = decodeBatch(bytes, (body) => body.slice()).events
        expect([...shown, ...arrived].flatMap(textsOf).join('\n')).not.toContain(planted.secret)
        expect(Buffer.from(bytes).includes(planted.secret)).toBe(false)
        for (const event of shown) expect(redactor.event(event)).toBe(event)
      }),
      { numRuns: process.env['LANNER_LONG'] === '1' ? 3000 : 150 },
    )
  })

  it('is all that changes: other events are given back as they are', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        for (const event of events) expect(redactor.event(event)).toBe(event)
      }),
    )
  })
})

describe('redacting twice', () => {
  it('changes nothing more, whatever the text and the patterns are', () => {
    const words = [
      ...['--password', '=', ' ', 'TOKEN', ':', '"', 'Bearer', 'mysql -p', '://u:', '@', 'a', 'b'],
      ...['[redacted]', '[', 'redacted', ']', 'ghp_', 'x'.repeat(20), '$', '&', '\n', "'"],
    ]
    const text = fc.array(fc.constantFrom(...words), { maxLength: 15 }).map((all) => all.join(''))
    const pattern = fc.constantFrom('a', '[a-z]+', '\\](.)', 'a(b)|b', '.{11}b', 'x*', '^.|.$')
    fc.assert(
      fc.property(text, fc.array(pattern, { maxLength: 2 }), (given, patterns) => {
        const own = createRedactor({ patterns })
        const once = own.text(given)
        expect(own.text(once)).toBe(once)
        const process = own.process(makeProcess({ comm: 'mysql', args: given.split(' ') }))
        expect(own.process({ ...process }).args).toEqual(process.args)
      }),
      { numRuns: 1000 },
    )
  })
})

it('hostile texts take no longer than others', () => {
  const started = process.cpuUsage()
  for (const part of [
    'a=',
    '-----BEGIN PRIVATE KEY',
    '://a:',
    'mysql -',
    'bearer ',
    'eyJa.',
    '--key ',
    '"key":',
  ])
    redactor.text(part.repeat(4096 / part.length))
  // of the processor, whoever else wants it
  expect(process.cpuUsage(started).user / 1000).toBeLessThan(2000)
})

/** The kept process shows what it showed. */
it('a process is not changed in place', () => {
  const process: Process = makeProcess({ args: ['--token=x'] })
  redactor.process(process)
  expect(process.args).toEqual(['--token=x'])
})
