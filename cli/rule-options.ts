import { readFileSync } from 'node:fs'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { type Priority, parsePriority, priorityNames, type RuleMatching } from '#engine'
import { nearestName } from '#events'
import {
  type CorrelationsResult,
  type FileResult,
  type LoadResult,
  loadRules,
  type OutputAddition,
  type RuleSet,
  readAdditions,
  readCorrelations,
  readRuleFiles,
  readSuppressions,
  type Selection,
  type SourceFile,
  type SuppressionsResult,
} from '#load'
import { type LoadedResponses, readResponses } from '#responses'
import { type KnownNames, type RoutesResult, readRoutes } from '#routes'
import { UsageError } from './io.ts'

type Options = NonNullable<ParseArgsConfig['options']>

/** The switches that all commands with rules share. */
const sharedOptions = {
  rules: { type: 'string', multiple: true },
  enable: { type: 'string', multiple: true },
  disable: { type: 'string', multiple: true },
  priority: { type: 'string' },
  'rule-matching': { type: 'string' },
  'append-output': { type: 'string' },
  'strict-compat': { type: 'boolean' },
  json: { type: 'boolean' },
} as const satisfies Options

export const sharedUsage = `  --rules PATH              a rules file, or a directory of them; may be repeated
  --enable PATTERN|tag=TAG  enable rules by name (* stands for any text) or by tag; applied in order
  --disable PATTERN|tag=TAG disable rules, likewise
  --priority NAME           leave out rules less severe than this
  --rule-matching first|all stop at the first rule that matches an event, or find all (default first)
  --append-output FILE      what to add to outputs: the append_output list of falco.yaml
  --strict-compat           behave as Falco does where Falco is known to be wrong
  --json                    for machines`

export interface RuleOptions {
  readonly paths: readonly string[]
  readonly selections: readonly Selection[]
  readonly leastPriority: Priority
  readonly matching: RuleMatching
  readonly additions: readonly OutputAddition[] | undefined
  readonly strictCompat: boolean
  readonly json: boolean
}

export interface ParsedOptions<V> {
  readonly rules: RuleOptions
  readonly values: V
  readonly positionals: readonly string[]
}

/**
 * Parses the shared switches and a command's own `options`. Unknown ones and bad values throw
 * {@link UsageError}.
 */
export function parseRuleOptions<O extends Options>(
  args: readonly string[],
  options: O,
): ParsedOptions<ReturnType<typeof parseArgs<{ options: O }>>['values']> {
  const parsed = parseStrictly(args, { ...sharedOptions, ...options })
  const shared = parsed.values as Readonly<Record<string, string | boolean | string[] | undefined>>
  const selections = parsed.tokens.flatMap((token): Selection[] => {
    if (token.kind !== 'option' || !['enable', 'disable'].includes(token.name)) return []
    return [{ enable: token.name === 'enable', by: selector(token.value ?? '') }]
  })
  return {
    rules: {
      paths: (shared['rules'] as string[] | undefined) ?? [],
      selections,
      leastPriority: priorityOf(shared['priority'] as string | undefined),
      matching: matchingOf(shared['rule-matching'] as string | undefined),
      additions: additionsIn(shared['append-output'] as string | undefined),
      strictCompat: shared['strict-compat'] === true,
      json: shared['json'] === true,
    },
    values: parsed.values as never,
    positionals: parsed.positionals,
  }
}

/** Parses switches; unknown ones throw a {@link UsageError} that names the nearest. */
export function parseStrictly<O extends Options>(args: readonly string[], options: O) {
  try {
    return parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      strict: true,
      tokens: true,
    })
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const unknown = /^Unknown option '--?([^']+)'/.exec(error.message)?.[1]
    const nearest = unknown === undefined ? undefined : nearestName(unknown, Object.keys(options))
    const hint = nearest === undefined ? '' : `; did you mean --${nearest}?`
    const [sentence] = error.message.split('. ')
    throw new UsageError(`${sentence}${hint}`)
  }
}

function selector(text: string): Selection['by'] {
  if (text === '' || text === 'tag=') throw new UsageError('a rule pattern or tag=TAG is needed')
  return text.startsWith('tag=') ? { tag: text.slice(4) } : { rule: text }
}

function priorityOf(name: string | undefined): Priority {
  if (name === undefined) return 7
  const priority = parsePriority(name)
  if (priority !== undefined) return priority
  throw new UsageError(`there is no priority "${name}": one of ${priorityNames.join(', ')}`)
}

function matchingOf(name: string | undefined): RuleMatching {
  if (name === undefined || name === 'first') return 'first'
  if (name === 'all') return 'all'
  throw new UsageError(`--rule-matching is first or all, not "${name}"`)
}

function additionsIn(path: string | undefined): readonly OutputAddition[] | undefined {
  if (path === undefined) return undefined
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`--append-output: ${error instanceof Error ? error.message : error}`)
  }
  const { additions, problems } = readAdditions({ name: path, text })
  if (problems.length > 0) throw new UsageError(`--append-output: ${problems.join('; ')}`)
  return additions
}

export type LoadedFiles = LoadResult & {
  readonly correlations: CorrelationsResult
  readonly suppressions: SuppressionsResult
  readonly routes: readonly (FileResult & RoutesResult)[]
  /** The rules files as read, in order. */
  readonly sources: readonly SourceFile[]
  readonly responses: LoadedResponses
  /** Paths that could not be read. */
  readonly unreadable: readonly { readonly path: string; readonly message: string }[]
}

/** Reads and loads the rules of a command line. Without any path it throws {@link UsageError}. */
export function loadRuleFiles(
  options: RuleOptions,
  more: readonly string[] = [],
  responsePaths: readonly string[] = [],
): LoadedFiles {
  const paths = [...options.paths, ...more]
  if (paths.length + responsePaths.length === 0) {
    throw new UsageError('no rules: --rules PATH is needed')
  }
  const read = readRuleFiles(paths)
  const { files, correlations: over, suppressions: except } = read
  const asResponses = readRuleFiles(responsePaths)
  const { selections, additions } = options
  const result = loadRules(files, {
    selections,
    strictCompat: options.strictCompat,
    ...(additions !== undefined && { additions }),
  })
  const correlations = readCorrelations(over, result.ruleSet)
  const suppressions = readSuppressions(except, result.ruleSet, correlations.correlations)
  const names = [...result.ruleSet.rules, ...correlations.correlations].map(({ name }) => name)
  const answering = [...read.responses, ...asResponses.files, ...asResponses.responses]
  const responses = readResponses(answering, names)
  const unreadable = [...read.problems, ...asResponses.problems]
  const known = files.length === 0 ? undefined : namesIn(result.ruleSet, correlations)
  const routes = read.routes.map((file) => ({ file, ...readRoutes(file, known) }))
  const areOk = [result, correlations, suppressions, responses, ...routes].every(({ ok }) => ok)
  return {
    ...{ ...result, ok: areOk && unreadable.length === 0, correlations, suppressions, routes },
    ...{ responses, sources: files, unreadable },
  }
}

function namesIn({ rules }: RuleSet, { correlations }: CorrelationsResult): KnownNames {
  const all = [...rules, ...correlations]
  return {
    rules: all.map(({ name }) => name),
    tags: [...new Set(all.flatMap(({ tags }) => tags))],
  }
}
