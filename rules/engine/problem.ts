import type { Span } from './ast.ts'

/** What can be wrong with a condition or an output, for those who decide on the kind of mistake. */
export type ProblemCode =
  | 'syntax'
  | 'unknown-field'
  | 'unknown-event-type'
  | 'bad-operator'
  | 'bad-constant'
  | 'bad-regex'
  | 'bad-transformer'
  | 'bad-comparison'
  | 'undefined-macro'
  | 'macro-loop'
  | 'too-deep'

/** One mistake in a condition; `at` and `end` are offsets into its text. */
export interface Problem extends Span {
  readonly code: ProblemCode
  /** One sentence without the place, with the nearest right name where there is one. */
  readonly message: string
}

export function didYouMean(nearest: string | undefined): string {
  return nearest === undefined ? '' : `; did you mean ${nearest}?`
}
