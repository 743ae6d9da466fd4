import type { Process } from '../event.ts'

/**
 * Texts put together from a process. One process makes many events in a row, and its image never
 * changes, so each use of a field remembers the last one.
 */
function perImage(read: (process: Process) => string): () => (process: Process) => string {
  return () => {
    let last: Process | undefined
    let text = ''
    return (process) => {
      if (process !== last) {
        text = read(process)
        last = process
      }
      return text
    }
  }
}

function withArguments(name: string, { args }: Process): string {
  return args.length === 0 ? name : `${name} ${args.join(' ')}`
}

export const argsText = perImage(({ args }) => args.join(' '))
export const commandLineText = perImage((process) => withArguments(process.comm, process))
export const exeLineText = perImage((process) => withArguments(process.exe, process))
export const envText = perImage(({ env }) => env.join(' '))

/** Value of a variable, "" when there is none. */
export function envValue({ env }: Process, name: string): string {
  for (const entry of env) {
    if (entry.length > name.length && entry[name.length] === '=' && entry.startsWith(name)) {
      return entry.slice(name.length + 1)
    }
  }
  return ''
}
