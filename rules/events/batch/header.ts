import { encodeText } from '../bytes.ts'
import { BatchError } from './error.ts'
import { batchLimit, bodyLimit, countLimit } from './limits.ts'
import { ByteReader } from './reader.ts'
import { ByteWriter } from './writer.ts'

/** Places that can lose events, in the order of their counters. Only ever appended to. */
export const lossPlaces = [
  'ring-other',
  'ring-file',
  'ring-network',
  'ring-process',
  'decode',
  'queue',
  'spool',
  'sink',
  'limit',
] as const
export type LossPlace = (typeof lossPlaces)[number]

/** Totals of the sensor run up to this batch; places that lost nothing may be left out. */
export interface BatchCounters {
  readonly seen: number
  readonly filtered: number
  readonly folded: number
  readonly lost: Readonly<Partial<Record<LossPlace, number>>>
}

/** What is said of a batch when it is made. Texts are at most 255 bytes long. */
export interface BatchInfo {
  readonly cluster: string
  readonly node: string
  /** The kernel's boot id. */
  readonly boot: string
  /** Random 64 bits of the sensor's start. */
  readonly run: bigint
  /** Gapless within (node, boot, run). */
  readonly sequence: number
  /** The run before on this node and its last sequence. */
  readonly previous: { readonly run: bigint; readonly sequence: number } | undefined
  /** When the batch was made; a heartbeat says nothing else. Nanoseconds since the epoch. */
  readonly sealedAt: bigint
  readonly rulesetHash: string
  readonly counters: BatchCounters
  /** Which key signs; "" when none does. */
  readonly keyId: string
  /** How the body is compressed: a number that the callers of the codec agree on. */
  readonly compression: number
}

/** What can be read of a batch without decompressing it. */
export interface BatchHeader extends BatchInfo {
  /** Times of the first and the last event; both `sealedAt` in a heartbeat. */
  readonly firstTime: bigint
  readonly lastTime: bigint
  readonly eventCount: number
  /** Ed25519 over the batch with this field zero; all zero when not signed. */
  readonly signature: Uint8Array
}

/** Where the parts of a batch lie. */
export interface BatchLayout {
  readonly header: BatchHeader
  readonly bodyStart: number
  readonly bodyLength: number
  readonly fullBodyLength: number
}

export const batchMagic = Uint8Array.of(0x4c, 0x4e, 0x52, 0x42)
export const batchVersion = 1
const textLimit = 255
const signatureLength = 64
/** magic, version, compression, length of the header. */
const prefixLength = 8

/** The header of a batch, its signature zero. Throws a `TypeError` for a text that is too long. */
export function encodeHeader(
  info: BatchInfo,
  body: {
    readonly firstTime: bigint
    readonly lastTime: bigint
    readonly eventCount: number
    readonly length: number
    readonly fullLength: number
  },
): Uint8Array {
  const rest = new ByteWriter()
  for (const length of [body.length, body.fullLength, body.eventCount]) {
    rest.fixed(BigInt(length), 4)
  }
  rest.fixed(info.run, 8)
  rest.fixed(BigInt(info.sequence), 8)
  rest.fixed(info.previous?.run ?? 0n, 8)
  rest.fixed(BigInt(info.previous?.sequence ?? -1), 8)
  for (const time of [info.sealedAt, body.firstTime, body.lastTime]) rest.fixed(time, 8)
  const { seen, filtered, folded, lost } = info.counters
  for (const counter of [seen, filtered, folded]) rest.unsigned(counter)
  rest.unsigned(lossPlaces.length)
  for (const place of lossPlaces) rest.unsigned(lost[place] ?? 0)
  for (const text of [info.cluster, info.node, info.boot, info.rulesetHash, info.keyId]) {
    if (encodeText(text).length > textLimit) {
      throw new TypeError(`a text of a batch header has at most ${textLimit} bytes: ${text}`)
    }
    rest.text(text)
  }
  const out = new ByteWriter()
  out.bytes(batchMagic)
  out.byte(batchVersion)
  out.byte(info.compression)
  out.fixed(BigInt(prefixLength + rest.length + signatureLength), 2)
  out.bytes(rest.finish())
  out.bytes(new Uint8Array(signatureLength))
  return out.finish()
}

/** Reads the header alone. Throws a {@link BatchError}. */
export function readHeader(bytes: Uint8Array): BatchHeader {
  return readLayout(bytes).header
}

/** Reads the header and finds the body. Throws a {@link BatchError}. */
export function readLayout(bytes: Uint8Array): BatchLayout {
  if (bytes.length > batchLimit) {
    throw new BatchError('size', 'header', 0, `a batch has at most ${batchLimit} bytes`)
  }
  const prefix = new ByteReader(bytes, 'header')
  if (prefix.bytes(4).some((byte, index) => byte !== batchMagic[index])) {
    throw new BatchError('magic', 'header', 0, 'these bytes are not a batch')
  }
  const found = prefix.byte()
  if (found !== batchVersion) {
    prefix.fail('version', `format version ${found} is not known, only ${batchVersion}`)
  }
  const compression = prefix.byte()
  const length = Number(prefix.fixed(2))
  if (length < prefixLength + signatureLength || length > bytes.length) {
    prefix.fail('short', `a header of ${length} bytes does not fit`)
  }
  const reader = new ByteReader(bytes.subarray(0, length), 'header')
  reader.bytes(prefixLength)
  const layout = readRest(reader, compression, length)
  if (length + layout.bodyLength !== bytes.length) {
    prefix.fail(
      length + layout.bodyLength > bytes.length ? 'short' : 'rest',
      `header and body have ${length + layout.bodyLength} bytes, not ${bytes.length}`,
    )
  }
  return layout
}

function readRest(reader: ByteReader, compression: number, bodyStart: number): BatchLayout {
  const [bodyLength, fullBodyLength, eventCount] = [4, 4, 4].map((size) =>
    Number(reader.fixed(size)),
  ) as [number, number, number]
  if (fullBodyLength > bodyLimit) reader.fail('size', `a body has at most ${bodyLimit} bytes`)
  if (eventCount > countLimit) reader.fail('count', `a batch has at most ${countLimit} events`)
  const run = reader.fixed(8)
  const sequence = readSequence(reader)
  const previousRun = reader.fixed(8)
  const previousSequence = BigInt.asIntN(64, reader.fixed(8))
  const [sealedAt, firstTime, lastTime] = [readTime(reader), readTime(reader), readTime(reader)]
  const [seen, filtered, folded] = [reader.unsigned(), reader.unsigned(), reader.unsigned()]
  const lost: Partial<Record<LossPlace, number>> = {}
  for (let index = 0, places = reader.count(); index < places; index++) {
    const count = reader.unsigned()
    const place = lossPlaces[index]
    // A place that this reader does not know yet: the loss must not be forgotten.
    if (place === undefined) lost.decode = (lost.decode ?? 0) + count
    else if (count > 0) lost[place] = count
  }
  const [cluster, node, boot, rulesetHash, keyId] = Array.from({ length: 5 }, () =>
    reader.text(textLimit),
  ) as [string, string, string, string, string]
  const signature = new Uint8Array(reader.bytes(signatureLength))
  reader.end()
  const previous =
    previousSequence < 0n
      ? undefined
      : { run: previousRun, sequence: checkSequence(reader, previousSequence) }
  const header: BatchHeader = {
    cluster,
    node,
    boot,
    run,
    sequence,
    previous,
    sealedAt,
    rulesetHash,
    counters: { seen, filtered, folded, lost },
    keyId,
    compression,
    firstTime,
    lastTime,
    eventCount,
    signature,
  }
  return { header, bodyStart, bodyLength, fullBodyLength }
}

function readSequence(reader: ByteReader): number {
  return checkSequence(reader, reader.fixed(8))
}

function checkSequence(reader: ByteReader, value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) reader.fail('number', 'the sequence is too large')
  return Number(value)
}

function readTime(reader: ByteReader): bigint {
  const time = reader.fixed(8)
  if (time >> 63n !== 0n) reader.fail('number', 'the time is too large')
  return time
}

/** Start of the signature in an encoded batch. */
function signatureStart(bytes: Uint8Array): number {
  return readLayout(bytes).bodyStart - signatureLength
}

/** What is signed: the batch with its signature zero. */
export function bytesToSign(bytes: Uint8Array): Uint8Array {
  // A `Buffer` would give a view, not a copy, by `slice`.
  const copy = new Uint8Array(bytes)
  const start = signatureStart(bytes)
  return copy.fill(0, start, start + signatureLength)
}

/** The batch with its signature (64 bytes) in place. */
export function withSignature(bytes: Uint8Array, signature: Uint8Array): Uint8Array {
  if (signature.length !== signatureLength) {
    throw new RangeError(`a signature has ${signatureLength} bytes, not ${signature.length}`)
  }
  const copy = new Uint8Array(bytes)
  copy.set(signature, signatureStart(bytes))
  return copy
}
