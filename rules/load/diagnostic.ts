import { isErrorCode, type LoadCode } from './codes.ts'

/** A rules file: its name for messages, and its text. */
export interface SourceFile {
  readonly name: string
  readonly text: string
}

/** A range of a file. */
export interface Place {
  readonly file: SourceFile
  /** Offset of the first character. */
  readonly at: number
  /** Offset after the last one. */
  readonly end: number
}

/** A place as people count: lines and columns from 1. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly offset: number
  readonly length: number
}

/** Where in the structure of the rules a place is, innermost last: `rule` "x", `rule condition`. */
export interface Context {
  readonly parent?: Context
  /** In Falco's words. */
  readonly type: string
  readonly name: string
  readonly place: Place
}

export interface Diagnostic {
  readonly code: LoadCode
  readonly severity: 'error' | 'warning'
  /** One sentence without the place. */
  readonly message: string
  readonly at: Position
  /** The line of the file. */
  readonly snippet: string
  readonly notes: readonly { readonly message: string; readonly at?: Position }[]
  readonly context: Context
  /** The field that a LOAD_DEPRECATED_ITEM is about. */
  readonly deprecatedField?: string
}

export interface DiagnosticDetails {
  readonly notes?: readonly { readonly message: string; readonly place?: Place }[]
  readonly deprecatedField?: string
}

export function makeDiagnostic(
  code: LoadCode,
  message: string,
  place: Place,
  context: Context,
  { notes = [], deprecatedField }: DiagnosticDetails = {},
): Diagnostic {
  return {
    code,
    severity: isErrorCode(code) ? 'error' : 'warning',
    message,
    at: positionOf(place),
    snippet: lineAt(place),
    notes: notes.map((note) => ({
      message: note.message,
      ...(note.place !== undefined && { at: positionOf(note.place) }),
    })),
    context,
    ...(deprecatedField !== undefined && { deprecatedField }),
  }
}

export function positionOf({ file, at, end }: Place): Position {
  const starts = lineStarts(file)
  let line = 0
  let after = starts.length
  while (after - line > 1) {
    const middle = (line + after) >> 1
    if (starts[middle]! <= at) line = middle
    else after = middle
  }
  return {
    file: file.name,
    line: line + 1,
    column: at - starts[line]! + 1,
    offset: at,
    length: Math.max(0, end - at),
  }
}

const knownStarts = new WeakMap<SourceFile, readonly number[]>()

/** Where the lines of a file begin: found once, as every rule has a position. */
function lineStarts(file: SourceFile): readonly number[] {
  let starts = knownStarts.get(file) as number[] | undefined
  if (starts === undefined) {
    starts = [0]
    for (let at = file.text.indexOf('\n'); at >= 0; at = file.text.indexOf('\n', at + 1)) {
      starts.push(at + 1)
    }
    knownStarts.set(file, starts)
  }
  return starts
}

function lineAt({ file, at }: Place): string {
  const start = file.text.lastIndexOf('\n', at - 1) + 1
  const end = file.text.indexOf('\n', at)
  return file.text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '')
}

/** The chain of contexts, outermost first. */
export function contextChain(context: Context): readonly Context[] {
  const outer = context.parent === undefined ? [] : contextChain(context.parent)
  return [...outer, context]
}
