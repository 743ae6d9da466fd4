/** A record is never larger than this: what Kinesis takes. */
export const batchLimit = 1 << 20

/** Size a batch is made for: small enough to be cheap to lose and to retry. */
export const batchTarget = 256 << 10

/** A body is never larger than this when decompressed. */
export const bodyLimit = 8 << 20

/** Events that one batch may hold, and rows of every other table but that of the texts. */
export const countLimit = 1 << 16

/** Texts that one batch may hold, and items of one column of lists. */
export const textCountLimit = 1 << 18
