import type { Diagnostic, SourceFile } from '#load'
import type { KnownNames } from '#routes'
import type { RuleBucket } from '../rule-bucket.ts'
import type { Published } from './publication.ts'

/** What it means to put one file in the place of another. */
export interface FileDifference {
  /** For people, a change each. */
  readonly lines: readonly string[]
  /** What is done without a person because of it, and was not before. */
  readonly automatic: readonly string[]
}

/** A file that functions read from the bucket as it is. */
export interface FileKind {
  readonly what: Exclude<Published, 'rules'>
  /** Where it lies in the bucket. */
  readonly key: string
  /** The file that says nothing; there is none where functions need one that says something. */
  readonly none?: string
  /** The beginning of the help. */
  readonly about: string
  /** All mistakes; with the rules in force, also what names none of them. */
  check(file: SourceFile, known?: KnownNames): readonly Diagnostic[]
  /** What is in force may be unreadable: then all is new. */
  compare(
    before: string | undefined,
    after: string,
    bucket: RuleBucket,
  ): FileDifference | Promise<FileDifference>
}
