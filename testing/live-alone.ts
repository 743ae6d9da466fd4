import type { Reporter, TestModule } from 'vitest/node'

/** Of a test file, as far as the order of files is concerned. */
type Module = Pick<TestModule, 'moduleId'> & { readonly project: { readonly name: string } }

/**
 * Fails a run in which a live test file ran beside any other: it watches the whole machine, and what the
 * other did would be in its counts.
 */
export class LiveAlone implements Reporter {
  readonly #running = new Set<string>()
  readonly #complain: (text: string) => void

  constructor(complain: (text: string) => void = failRun) {
    this.#complain = complain
  }

  onTestModuleStart({ moduleId, project }: Module): void {
    const others = [...this.#running]
    this.#running.add(nameOf(moduleId, project.name))
    if (others.length === 0) return
    const isLive = project.name === live || others.some((name) => name.startsWith(`${live} `))
    if (isLive) this.#complain(`${nameOf(moduleId, project.name)} ran beside ${others.join(', ')}`)
  }

  onTestModuleEnd({ moduleId, project }: Module): void {
    this.#running.delete(nameOf(moduleId, project.name))
  }
}

const live = 'live'
const nameOf = (moduleId: string, project: string) => `${project} ${moduleId}`

function failRun(text: string): void {
  process.stderr.write(`order of tests: ${text}\n`)
  process.exitCode = 1
}
