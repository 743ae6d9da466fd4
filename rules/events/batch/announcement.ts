import { encodeText } from '../bytes.ts'
import { BatchError } from './error.ts'
import { batchMagic, batchVersion } from './header.ts'
import { ByteReader } from './reader.ts'
import { ByteWriter } from './writer.ts'

/** Who a sensor says it is. It stands behind a batch in a record of the stream, and nowhere else. */
export interface Announcement {
  /** Ed25519, as raw bytes: the key that signs the batches of this run. */
  readonly publicKey: Uint8Array
  /** The token of its service account, which says on which node it runs; "" without one. */
  readonly token: string
  /** Id of the machine, such as EC2 gives one; "" when it is not known. */
  readonly instance: string
}

/** A record of the stream, taken apart. */
export interface SplitRecord {
  /** What may be kept: a token is never in it. */
  readonly batch: Uint8Array
  readonly announcement?: Announcement
  /** Why what stands behind the batch is no announcement. The batch may be a good one all the same. */
  readonly problem?: BatchError
}

const magic = Uint8Array.of(0x4c, 0x4e, 0x52, 0x41)
const version = 1
const keyLength = 32
const instanceLimit = 255
/** Bytes of a token at most: those of Kubernetes have about one thousand. */
export const tokenLimit = 8192

/**
 * The record of a batch that announces its sensor. Throws a `RangeError` for a key, token or instance
 * that is too long; whether the record is, the caller looks.
 */
export function appendAnnouncement(batch: Uint8Array, announcement: Announcement): Uint8Array {
  const { publicKey, token, instance } = announcement
  const out = new ByteWriter()
  out.bytes(batch)
  out.bytes(magic)
  out.byte(version)
  if (publicKey.length !== keyLength) {
    throw new RangeError(`a public key has ${keyLength} bytes, not ${publicKey.length}`)
  }
  out.bytes(publicKey)
  for (const [name, text, limit] of [
    ['a token', token, tokenLimit],
    ['an instance', instance, instanceLimit],
  ] as const) {
    const { length } = encodeText(text)
    if (length > limit) throw new RangeError(`${name} has at most ${limit} bytes, not ${length}`)
    out.text(text)
  }
  return out.finish()
}

/**
 * Takes a record apart. Never throws: bytes that are no batch come back as they are, for
 * `decodeBatch` to say what is wrong with them, and what stands behind a batch is cut off whatever it is.
 */
export function splitRecord(record: Uint8Array): SplitRecord {
  const length = lengthOfBatch(record)
  if (length === undefined || length >= record.length) return { batch: record }
  const batch = record.subarray(0, length)
  try {
    return { batch, announcement: readAnnouncement(record.subarray(length)) }
  } catch (error) {
    if (error instanceof BatchError) return { batch, problem: error }
    throw error
  }
}

function readAnnouncement(bytes: Uint8Array): Announcement {
  const reader = new ByteReader(bytes, 'trailer')
  if (reader.bytes(magic.length).some((byte, index) => byte !== magic[index])) {
    throw new BatchError('magic', 'trailer', 0, 'what stands behind the batch is no announcement')
  }
  const found = reader.byte()
  if (found !== version) reader.fail('version', `announcement version ${found} is not known`)
  const announcement = {
    publicKey: new Uint8Array(reader.bytes(keyLength)),
    token: reader.text(tokenLimit),
    instance: reader.text(instanceLimit),
  }
  reader.end()
  return announcement
}

/** Bytes of the batch that a record begins with, as its header says; `undefined` when it has none. */
function lengthOfBatch(record: Uint8Array): number | undefined {
  if (record.length < 12) return undefined
  if (batchMagic.some((byte, index) => record[index] !== byte)) return undefined
  if (record[batchMagic.length] !== batchVersion) return undefined
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
  return view.getUint16(6, true) + view.getUint32(8, true)
}
