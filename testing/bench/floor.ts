import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const sources = `${import.meta.dirname}/floor`

/** An empty BPF program on the tracepoint that the sensor uses: what no sensor can undercut. */
export class Floor {
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
  }

  /** Builds it; `undefined` where the tools are missing. */
  static build(): Floor | undefined {
    const directory = mkdtempSync(join(tmpdir(), 'lanner-floor-'))
    const multiarch = `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`
    try {
      execFileSync(
        'clang',
        [
          ...['-O2', '-g', '-target', 'bpf', `-I${multiarch}`, '-c', `${sources}/empty.bpf.c`],
          ...['-o', join(directory, 'empty.bpf.o')],
        ],
        { stdio: 'ignore' },
      )
      execFileSync(
        'gcc',
        ['-O2', `${sources}/load.c`, '-lbpf', '-lelf', '-lz', '-o', join(directory, 'load')],
        { stdio: 'ignore' },
      )
    } catch {
      rmSync(directory, { recursive: true })
      return undefined
    }
    return new Floor(directory)
  }

  /** Attached while `work` runs. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const child = spawn(join(this.#directory, 'load'), [join(this.#directory, 'empty.bpf.o')], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    try {
      const attached = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
      if (typeof attached[0] === 'number') throw new Error('the empty program does not load')
      return await work()
    } finally {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    }
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true })
  }
}
