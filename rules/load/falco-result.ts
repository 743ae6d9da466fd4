import { describeCode } from './codes.ts'
import { contextChain, type Diagnostic, positionOf } from './diagnostic.ts'
import { checkSchema } from './json-schema.ts'
import type { FileResult } from './load-rules.ts'

interface JsonPosition {
  readonly name: string
  readonly line: number
  readonly column: number
  readonly offset: number
}

interface JsonDiagnostic {
  readonly context: {
    readonly locations: readonly {
      readonly item_type: string
      readonly item_name: string
      readonly position: JsonPosition
    }[]
    readonly snippet: string
  }
  readonly code: string
  readonly codedesc: string
  readonly message: string
  readonly deprecated_field?: string
}

export interface FalcoResult {
  readonly name: string
  readonly successful: boolean
  /** Whether the file fits Falco's JSON schema, which never decides anything. */
  readonly schema_valid: boolean
  readonly schema_warnings: readonly string[]
  readonly errors: readonly JsonDiagnostic[]
  readonly warnings: readonly JsonDiagnostic[]
}

/** The result of a file in the shape of `falco -V FILE -o json_output=true`, positions from 0. */
export function falcoResult({ file, diagnostics }: FileResult): FalcoResult {
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  const schema = checkSchema(file)
  return {
    name: file.name,
    successful: errors.length === 0,
    schema_valid: schema.length === 0,
    schema_warnings: schema,
    errors: errors.map(toJson),
    warnings: diagnostics.filter(({ severity }) => severity === 'warning').map(toJson),
  }
}

function toJson(diagnostic: Diagnostic): JsonDiagnostic {
  const { code, severity, message, at, snippet, context, deprecatedField } = diagnostic
  const chain = contextChain(context)
  const [short, long] = describeCode(code)
  const exact: JsonPosition = {
    name: at.file,
    line: at.line - 1,
    column: at.column - 1,
    offset: at.offset,
  }
  return {
    context: {
      locations: chain.map(({ type, name, place }, i) => {
        const position = i === chain.length - 1 ? exact : fromPlace(positionOf(place))
        // What Falco calls the place of an expression is the beginning of its text.
        return type === 'condition expression'
          ? { item_type: type, item_name: '', position: { ...position, name } }
          : { item_type: type, item_name: name, position }
      }),
      snippet: snippetOf(snippet, at.column - 1),
    },
    code,
    codedesc: severity === 'error' ? short : long,
    message,
    ...(deprecatedField !== undefined && { deprecated_field: deprecatedField }),
  }
}

const widest = 160

/** The line around a column, cut where it is long, and a caret below. */
function snippetOf(line: string, column: number): string {
  const from = Math.max(0, column - widest / 2)
  const to = Math.min(line.length, column + widest / 2)
  let shown = line.slice(from, to)
  if (from > 0) shown = `...${shown.slice(3)}`
  if (to < line.length) shown = `${shown.slice(0, -3)}...`
  return `${shown}\n${' '.repeat(column - from)}^\n`
}

function fromPlace(position: ReturnType<typeof positionOf>): JsonPosition {
  const { file, line, column, offset } = position
  return { name: file, line: line - 1, column: column - 1, offset }
}
