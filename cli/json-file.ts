import { UsageError } from './io.ts'

export interface JsonText {
  readonly value: unknown
  /** The file, with its line when there is one text a line. */
  readonly place: string
}

/** What a file holds: one JSON text (a list stands for its items), or one a line. */
export function jsonIn(text: string, path: string): readonly JsonText[] {
  const parse = (json: string, place: string): readonly JsonText[] => {
    try {
      const value = JSON.parse(json) as unknown
      return (Array.isArray(value) ? value : [value]).map((one: unknown) => ({ value: one, place }))
    } catch (error) {
      throw new UsageError(`${place}: ${(error as Error).message}`)
    }
  }
  const lines = text.split('\n')
  const isLines = lines.filter((line) => line.startsWith('{')).length > 1
  if (!isLines) return parse(text, path)
  return lines.flatMap((line, i) => (line.trim() === '' ? [] : parse(line, `${path}:${i + 1}`)))
}
