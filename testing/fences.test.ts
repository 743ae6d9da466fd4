import { readdirSync, readFileSync } from 'node:fs'
import { join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const aliases: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
).imports

/** The stages of the cloud side; one never imports another. */
function stages(): string[] {
  return readdirSync(join(root, 'lambdas'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'shared')
    .map(({ name }) => `lambdas/${name}`)
}

/** All that infrastructure may know of the code of the stages. */
function contracts(): string[] {
  return stages().flatMap((stage) =>
    readdirSync(join(root, stage), { recursive: true, encoding: 'utf8' })
      .filter((file) => file === 'contract.ts' || file.endsWith('/contract.ts'))
      .map((file) => `${stage}/${file}`),
  )
}

/** Folder → what its files may import: folders, packages, `node:` for all of Node's own. */
const fences: readonly (readonly [folder: string, allowed: readonly string[]])[] = [
  ['rules/events', ['rules/events']],
  ['rules/engine', ['rules/engine', 'rules/events', 're2js']],
  ['rules/correlate', ['rules/correlate', 'rules/engine', 'rules/events']],
  ['rules/artefact', ['rules/artefact', 'rules/correlate', 'rules/engine', 'rules/events']],
  [
    'rules/load',
    [
      ...['rules/load', 'rules/artefact', 'rules/correlate', 'rules/engine', 'rules/events'],
      'yaml',
    ],
  ],
  ['rules/responses', ['rules/responses', 'rules/load', 'rules/engine', 'rules/events']],
  ['rules/redact', ['rules/redact', 'rules/engine', 'rules/events']],
  ['rules/routes', ['rules/routes', 'rules/load', 'rules/engine', 'rules/events']],
  [
    'collector/agent',
    [...['collector/agent', 'rules/events', 'rules/engine', 'rules/load', 'rules/redact'], 'node:'],
  ],
  ['collector/kubernetes', ['collector/kubernetes', 'collector/agent', 'rules/events', 'node:']],
  [
    'collector/sinks',
    [
      'collector/sinks',
      'collector/agent',
      'rules/events',
      'node:',
      '@aws-sdk/client-kinesis',
      '@smithy/node-http-handler',
    ],
  ],
  [
    'collector',
    [
      ...['collector', 'rules/events', 'rules/engine', 'rules/load', 'rules/redact', 'node:'],
      ...['@aws-sdk/client-kinesis', '@smithy/node-http-handler'],
    ],
  ],
  ['collector/image', ['collector/image', 'collector/agent-command.ts', 'node:']],
  [
    'collector/config',
    [
      ...['collector/config', 'collector/agent', 'rules/events', 'rules/load'],
      'collector/sinks/kinesis/stream-name.ts',
    ],
  ],
  [
    'lambdas/shared',
    [
      ...['lambdas/shared', 'rules/events', 'rules/engine', 'rules/correlate', 'rules/artefact'],
      ...['rules/load', 'rules/routes', 'node:'],
      ...['@aws-sdk', '@smithy', '@aws-lambda-powertools', '@middy/core', 'jose'],
    ],
  ],
  ...stages().map((stage): readonly [string, readonly string[]] => [
    stage,
    [
      ...[stage, 'lambdas/shared', 'rules', 'node:', '@aws-sdk', '@aws-crypto', '@smithy'],
      // one function for each kind of destination, and what they have in common
      ...(stage.startsWith('lambdas/notify-') ? ['lambdas/notify'] : []),
      ...['@aws-lambda-powertools', '@middy/core', '@kubernetes/client-node', 'jose', 'yaml'],
    ],
  ]),
  [
    'infra/local',
    [
      ...['infra/local', 'infra/topology', 'lambdas', 'node:', '@aws-sdk', '@smithy'],
      ...['kinesalite', 'fauxqs'],
    ],
  ],
  ['infra/topology', ['infra/topology']],
  [
    'infra/stages',
    [
      ...['infra/stages', 'infra/topology', 'infra/config.ts', 'infra/endpoints.ts', 'aws-cdk-lib'],
      ...['constructs', 'node:', 'infra/cost/prices.ts', 'lambdas/shared/contract.ts'],
      ...['lambdas/shared/metric-dimensions.ts', ...contracts()],
    ],
  ],
  [
    'cli',
    [
      'cli',
      'collector',
      'rules',
      'infra',
      'lambdas',
      'node:',
      'esbuild',
      'yaml',
      '@aws-sdk',
      '@smithy',
    ],
  ],
  [
    'testing',
    [
      'testing',
      'collector',
      'rules',
      'lambdas',
      'infra',
      'cli',
      'node:',
      'vitest',
      'fast-check',
      'yaml',
      'kinesalite',
      'fauxqs',
      '@aws-sdk',
      '@smithy',
    ],
  ],
]
const exceptions: Readonly<Record<string, readonly string[]>> = {
  'rules/load/files.ts': ['node:fs', 'node:path'],
}
/** Tests run against the stand-ins of this machine. */
const testsMayImport = ['vitest', 'fast-check', 'fauxqs', 'node:', 'testing', 'infra/local']

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g,
  )
  return [...found].map((match) => match[1] ?? match[2] ?? match[3]!)
}

/** Where an import leads: a path below the root, or a package's name as written. */
function target(file: string, specifier: string): string {
  if (specifier.startsWith('.')) return normalize(join(file, '..', specifier))
  if (!specifier.startsWith('#')) return specifier
  const whole = aliases[specifier]
  if (whole !== undefined) return normalize(whole)
  const prefix = specifier.slice(0, specifier.indexOf('/'))
  return normalize(
    (aliases[`${prefix}/*`] ?? specifier).replace('*', specifier.slice(prefix.length + 1)),
  )
}

function allows(allowed: readonly string[], to: string): boolean {
  return allowed.some(
    (door) => to === door || to.startsWith(door.endsWith(':') ? door : `${door}/`),
  )
}

/** A shared helper of tests lives below a folder called `testing`. */
function isTest(file: string): boolean {
  return file.endsWith('.test.ts') || file.includes('/testing/')
}

describe.each(fences)('%s', (folder, allowed) => {
  it('imports nothing beyond its fence', () => {
    const trespasses = sources(folder).flatMap((file) =>
      importsOf(file)
        .map((specifier) => target(file, specifier))
        .filter((to) => {
          if (allows(allowed, to) || allows(exceptions[file] ?? [], to)) return false
          return !(isTest(file) && allows(testsMayImport, to))
        })
        .map((to) => `${file} -> ${to}`),
    )
    expect(trespasses).toEqual([])
  })
})

it('no rule code looks at a clock', () => {
  const clocks =
    /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bprocess\.hrtime\b|\bsetTimeout\b|\bsetInterval\b/
  const pure = ['events', 'engine', 'load', 'correlate', 'responses', 'redact', 'routes']
  const lookers = pure
    .map((folder) => `rules/${folder}`)
    .flatMap(sources)
    .filter((file) => !isTest(file) && clocks.test(readFileSync(join(root, file), 'utf8')))
  expect(lookers).toEqual([])
})

it('the fences see an import when there is one', () => {
  expect(importsOf('testing/fences.test.ts')).toContain('node:fs')
  expect(target('collector/agent/x.ts', '#events')).toBe('rules/events/index.ts')
  expect(allows(['rules/events'], 'rules/engine/index.ts')).toBe(false)
})
