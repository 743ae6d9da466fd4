import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { type Json, type StateWrite, stateValueLimit } from '#correlate'

/** An item as DynamoDB has it. */
export type Attributes = Record<string, AttributeValue>

/** A stored item of state. */
export interface StoredState {
  readonly key: string
  readonly value: Json
  readonly version: number
  readonly expires: number
  readonly due?: number
  /** Of the write that made it so. */
  readonly token: string
}

const prefix = 'state#'

/** Where the item of a key lies. */
export function stateKey(key: string): Attributes {
  return { pk: { S: prefix + key }, sk: { S: '.' } }
}

/** The attributes of a write. Names are short: they are billed with each write. */
export function encodeState(write: StateWrite, token: string): Attributes {
  const { key, from, expires, due } = write
  const json = JSON.stringify(write.value)
  const bytes = Buffer.byteLength(json)
  if (bytes > stateValueLimit) {
    throw new RangeError(
      `the state of ${JSON.stringify(key)} has ${bytes} bytes, more than ${stateValueLimit}`,
    )
  }
  return {
    ...stateKey(key),
    n: { N: `${from + 1}` },
    expires: { N: `${expires}` },
    token: { S: token },
    ...(due !== undefined && { due: { N: `${due}` } }),
    ...(bytes > writeUnit ? { z: { B: compress(json) } } : { v: { S: json } }),
  }
}

export function decodeState(item: Attributes): StoredState {
  const { v, z, due } = item
  const json = z?.B === undefined ? v!.S! : decompress(z.B)
  return {
    key: item['pk']!.S!.slice(prefix.length),
    value: JSON.parse(json) as Json,
    version: Number(item['n']!.N),
    expires: Number(item['expires']!.N),
    token: item['token']!.S!,
    ...(due !== undefined && { due: Number(due.N) }),
  }
}

/** What one write unit holds: below it, compression saves nothing. */
const writeUnit = 1024

function compress(json: string): Uint8Array {
  return zstdCompressSync(json, { params: { [constants.ZSTD_c_compressionLevel]: 3 } })
}

function decompress(bytes: Uint8Array): string {
  return zstdDecompressSync(bytes, { maxOutputLength: stateValueLimit }).toString('utf8')
}
