/**
 * Why bytes are not a batch:
 * - `short`: they end too early; `magic`: they are something else; `version`: a format not known here;
 * - `size`: larger than a batch may be; `compression`: the body does not decompress as promised;
 * - `count`, `index`, `number`, `text`: a count, reference, number or text that cannot be;
 * - `type`: an event type or kind not known here; `rest`: bytes are left over.
 */
export type BatchErrorCode =
  | 'short'
  | 'magic'
  | 'version'
  | 'size'
  | 'compression'
  | 'count'
  | 'index'
  | 'number'
  | 'text'
  | 'type'
  | 'rest'

/** `trailer`: what stands behind a batch in a record. */
export type BatchPart = 'header' | 'body' | 'trailer'

/** Bytes that are no batch, or a damaged one. */
export class BatchError extends Error {
  override readonly name = 'BatchError'
  readonly code: BatchErrorCode
  /** Where: an offset into the bytes given, or into the decompressed body. */
  readonly part: BatchPart
  readonly offset: number

  constructor(code: BatchErrorCode, part: BatchPart, offset: number, message: string) {
    super(`${message} (${part} byte ${offset})`)
    this.code = code
    this.part = part
    this.offset = offset
  }
}
