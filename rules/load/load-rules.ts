import { isErrorCode } from './codes.ts'
import { compileDefinitions } from './compile-definitions.ts'
import { Definitions, defaultSource, type RuleDefinition } from './definitions.ts'
import { type Diagnostic, makeDiagnostic, type SourceFile } from './diagnostic.ts'
import type { Item, PluginRequirement, PluginsItem, Version, VersionItem } from './items.ts'
import type { Report } from './node-reader.ts'
import { defaultAdditions, type OutputAddition } from './output-addition.ts'
import { readItems } from './read-items.ts'
import type { RequiredPlugin, RuleSet } from './rule-set.ts'
import { type Selection, selectRules } from './select-rules.ts'
import { compareVersions, isCompatible } from './values.ts'

/** The version of Falco's rules engine whose language this is. */
export const engineVersion: Version = [0, 63, 0]

/** Plugins whose fields are built in. */
export const builtInPlugins: ReadonlyMap<string, Version> = new Map([['container', [0, 7, 1]]])

export interface LoadOptions {
  /** Applied in order after all files are loaded. */
  readonly selections?: readonly Selection[]
  /** What is added to outputs; Falco's default configuration when absent. */
  readonly additions?: readonly OutputAddition[]
  /** Behave as Falco where Falco is known to be wrong, and refuse what it cannot load. */
  readonly strictCompat?: boolean
}

export interface FileResult {
  readonly file: SourceFile
  readonly diagnostics: readonly Diagnostic[]
}

export interface LoadResult {
  /** Whether no file has an error; only then do the rules mean what the files say. */
  readonly ok: boolean
  readonly ruleSet: RuleSet
  /** In the order of the files; the mistakes of a file in the order of its text. */
  readonly files: readonly FileResult[]
}

/**
 * Loads rules files in order. As in Falco every file must be right together with those before it: it
 * may use what they define, not what a later file defines. Unlike there, all mistakes of all files
 * are found at once.
 */
export function loadRules(files: readonly SourceFile[], options: LoadOptions = {}): LoadResult {
  const additions = options.additions ?? defaultAdditions
  const strictCompat = options.strictCompat === true
  const definitions = new Definitions(strictCompat)
  const found = new Diagnostics(files)
  const plugins: PluginsItem[] = []
  const versions: Version[] = []
  let ruleSet: RuleSet = {
    rules: [],
    macros: [],
    lists: [],
    inactive: [],
    missingPlugins: [],
    requiredEngineVersion: '',
    requiredPlugins: [],
  }
  for (const [i, file] of files.entries()) {
    for (const item of readItems(file, found.report)) {
      if (item.kind === 'version') versions.push(item.version)
      takeIn(item, definitions, plugins, found.report)
    }
    // Warnings of the whole are the business of the last compilation.
    const isLast = i === files.length - 1
    ruleSet = compileDefinitions(
      definitions,
      additions,
      isLast ? found.report : found.reportErrors,
      strictCompat,
    )
  }
  const foreign = !strictCompat && [...definitions.rules.values()].some(isForeign)
  const missing = plugins.flatMap((item) => checkPlugins(item, foreign, found.report))
  reportUnused(ruleSet, definitions, found.report)
  return {
    ok: !found.hasErrors,
    ruleSet: {
      ...selectRules(ruleSet, options.selections ?? []),
      missingPlugins: missing,
      requiredEngineVersion: versions.sort(compareVersions).at(-1)?.join('.') ?? '',
      requiredPlugins: plugins.flatMap((item) => item.requirements.map(requiredPlugin)),
    },
    files: found.byFile(),
  }
}

function takeIn(
  item: Item,
  definitions: Definitions,
  plugins: PluginsItem[],
  report: Report,
): void {
  if (item.kind === 'version') checkVersion(item, report)
  else if (item.kind === 'plugins') plugins.push(item)
  else definitions.apply(item, report)
}

function checkVersion({ version, place, context }: VersionItem, report: Report): void {
  if (isCompatible(engineVersion, version)) return
  const message = `the rules need engine version ${version.join('.')}; this engine is ${engineVersion.join('.')}`
  report(makeDiagnostic('LOAD_ERR_VALIDATE', message, place, context))
}

function requiredPlugin({ anyOf }: PluginsItem['requirements'][number]): RequiredPlugin {
  const [{ name, version }, ...others] = anyOf as [PluginRequirement, ...PluginRequirement[]]
  return {
    name,
    version,
    alternatives: others.map((other) => ({ name: other.name, version: other.version })),
  }
}

function isForeign({ source }: RuleDefinition): boolean {
  return source !== defaultSource
}

/**
 * The first plugin of each requirement that is there must have a fitting version. Where rules of other
 * sources are loaded, which stay inactive, it is for them that a plugin is asked for that is not there.
 * Gives the names of these.
 */
function checkPlugins({ requirements }: PluginsItem, foreign: boolean, report: Report): string[] {
  const missing: string[] = []
  for (const { anyOf, place, context } of requirements) {
    const present = anyOf.find(({ name }) => builtInPlugins.has(name))
    const names = anyOf.map(({ name, version }) => `${name} ${version}`).join(' or ')
    if (present === undefined) {
      const message = `the rules need the plugin ${names}; only container is built in`
      const code = foreign ? 'LOAD_UNKNOWN_SOURCE' : 'LOAD_ERR_VALIDATE'
      report(makeDiagnostic(code, message, place, context))
      if (foreign) missing.push(names)
      continue
    }
    const have = builtInPlugins.get(present.name)!
    if (isCompatible(have, present.parsed)) continue
    const message = `the rules need the plugin ${names}; ${present.name} ${have.join('.')} is built in`
    report(makeDiagnostic('LOAD_ERR_VALIDATE', message, place, context))
  }
  return missing
}

function reportUnused({ macros, lists }: RuleSet, definitions: Definitions, report: Report): void {
  for (const { name, used } of macros) {
    const macro = definitions.macros.get(name)
    if (used || macro === undefined) continue
    const message = `the macro "${name}" is not used`
    report(makeDiagnostic('LOAD_UNUSED_MACRO', message, macro.namePlace, macro.context))
  }
  for (const { name, used } of lists) {
    const list = definitions.lists.get(name)
    if (used || list === undefined) continue
    const message = `the list "${name}" is not used`
    report(makeDiagnostic('LOAD_UNUSED_LIST', message, list.namePlace, list.context))
  }
}

/** Collects diagnostics, each once, although everything is compiled again after each file. */
class Diagnostics {
  hasErrors = false
  readonly #files: readonly SourceFile[]
  readonly #found: Diagnostic[] = []
  readonly #seen = new Set<string>()

  constructor(files: readonly SourceFile[]) {
    this.#files = files
  }

  readonly report = (diagnostic: Diagnostic): void => {
    const { code, message, at } = diagnostic
    const key = `${code} ${at.file} ${at.offset} ${message}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    if (diagnostic.severity === 'error') this.hasErrors = true
    this.#found.push(diagnostic)
  }

  readonly reportErrors = (diagnostic: Diagnostic): void => {
    if (isErrorCode(diagnostic.code)) this.report(diagnostic)
  }

  byFile(): FileResult[] {
    return this.#files.map((file) => ({
      file,
      diagnostics: this.#found
        .filter(({ at }) => at.file === file.name)
        .sort((a, b) => a.at.offset - b.at.offset),
    }))
  }
}
