import { describeCode } from './codes.ts'
import type { Diagnostic, Position } from './diagnostic.ts'

/** A diagnostic for people: where, what, the line with a caret under the place, and notes. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { at, severity, message, code, snippet, notes } = diagnostic
  const margin = ' '.repeat(String(at.line).length)
  const [short] = describeCode(code)
  return [
    `${where(at)}: ${severity}: ${message}`,
    ...caretLines(at, snippet),
    `${margin} = ${code} (${short})`,
    ...notes.map((note) => {
      const place = note.at === undefined ? '' : ` (${where(note.at)})`
      return `${margin} = note: ${note.message}${place}`
    }),
  ].join('\n')
}

export function where({ file, line, column }: Position): string {
  return `${file}:${line}:${column}`
}

const widest = 160

function caretLines({ line, column, length }: Position, snippet: string): string[] {
  const number = String(line)
  const margin = ' '.repeat(number.length)
  const cut = Math.max(0, column - 1 - widest / 2)
  const shown = snippet.slice(cut, cut + widest)
  const before = snippet.slice(cut, column - 1).replace(/[^\t]/g, ' ')
  const room = Math.max(1, cut + shown.length - (column - 1))
  const carets = '^'.repeat(Math.max(1, Math.min(length, room)))
  const start = cut > 0 ? '...' : ''
  const end = cut + widest < snippet.length ? '...' : ''
  return [
    `${margin} |`,
    `${number} | ${start}${shown}${end}`,
    `${margin} | ${' '.repeat(start.length)}${before}${carets}`,
  ]
}
