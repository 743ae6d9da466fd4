import { main } from '../cli/main.ts'

/** What a command line said, and its exit code. */
export interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command line in this process. */
export async function runLanner(...args: string[]): Promise<Said> {
  const said = { out: '', err: '' }
  const code = await main(args, {
    out: (text) => {
      said.out += text
    },
    err: (text) => {
      said.err += text
    },
    color: false,
  })
  return { code, ...said }
}
