/** A record is never larger than this: what Kinesis takes. */
export const batchLimit = 1 << 20

/** Size a batch is made for: small enough to be cheap to lose and to retry. */
export const batchTarget = 256 << 10

/** A body is never larger than this when decompressed. */
export const bodyLimit = 16 << 20

/** Events, and separately processes, that one batch may hold. */
export const countLimit = 1 << 16
