import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs'

const V1 = '/sys/fs/cgroup/memory'
const isV1 = existsSync(V1)

/** A memory cgroup of its own for what is measured. */
export class MemoryGroup {
  readonly #path: string

  constructor(name: string) {
    this.#path = `${isV1 ? V1 : '/sys/fs/cgroup'}/${name}`
    mkdirSync(this.#path)
  }

  /** Words before a command that make it start in here. */
  get enter(): readonly string[] {
    return ['sh', '-c', `echo $$ > ${this.#path}/cgroup.procs && exec "$0" "$@"`]
  }

  /** What Kubernetes counts: usage without the page cache that has not been used lately, bytes. */
  get workingSet(): number {
    const [usage, inactive] = isV1
      ? ['memory.usage_in_bytes', 'total_inactive_file']
      : ['memory.current', 'inactive_file']
    return Number(this.#read(usage!)) - this.stat(inactive!)
  }

  /** A line of `memory.stat`, bytes. */
  stat(name: string): number {
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(this.#read('memory.stat'))?.[1] ?? 0)
  }

  /** Memory of programs, without files and kernel objects, bytes. */
  get anonymous(): number {
    return this.stat(isV1 ? 'total_rss' : 'anon')
  }

  remove(): void {
    rmdirSync(this.#path)
  }

  #read(file: string): string {
    return readFileSync(`${this.#path}/${file}`, 'utf8')
  }
}
