import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readRuleFiles, type SourceFile } from '#load'

export interface RulesWatchOptions {
  readonly paths: readonly string[]
  /** Called with the files whenever they have changed and have been at rest since the last look. */
  readonly onChange: (files: readonly SourceFile[]) => void
  /** Called when a path cannot be read; what was read before stays. */
  readonly onUnreadable: (problems: readonly string[]) => void
}

/**
 * Watches rules files by looking at them: a ConfigMap changes by a swap of symbolic links, an editor
 * by a rename, a host path by whatever the operator does, and a look at names, sizes and times sees all
 * of it. What is still being written is left until it rests.
 */
export class RulesWatch {
  readonly #options: RulesWatchOptions
  #used: string
  #seen: string

  constructor(options: RulesWatchOptions) {
    this.#options = options
    this.#used = signatureOf(options.paths)
    this.#seen = this.#used
  }

  /** To be called every second or two. */
  look(): void {
    const signature = signatureOf(this.#options.paths)
    const isAtRest = signature === this.#seen
    this.#seen = signature
    if (isAtRest) this.#use(signature)
  }

  /** For an operator who knows that nobody writes any more. */
  lookAtOnce(): void {
    this.#seen = signatureOf(this.#options.paths)
    this.#use(this.#seen)
  }

  #use(signature: string): void {
    if (signature === this.#used) return
    this.#used = signature
    const { files, problems } = readRuleFiles(this.#options.paths)
    if (problems.length === 0) this.#options.onChange(files)
    else this.#options.onUnreadable(problems.map(({ path, message }) => `${path}: ${message}`))
  }
}

/** Changes whenever a file does. */
function signatureOf(paths: readonly string[]): string {
  return paths
    .flatMap((path) => [path, ...entriesOf(path)])
    .map((path) => {
      const info = statSync(path, { throwIfNoEntry: false, bigint: true })
      return `${path} ${info?.ino} ${info?.size} ${info?.mtimeNs} ${info?.ctimeNs}`
    })
    .join('\n')
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path)
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(path, name))
  } catch {
    // a file, or gone: its own line in the signature says so
    return []
  }
}
