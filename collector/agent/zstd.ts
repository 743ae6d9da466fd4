import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'

/** Number of zstd in a batch's header. */
export const ZSTD = 1

export function compress(body: Uint8Array): Uint8Array {
  return zstdCompressSync(body)
}

export function decompress(body: Uint8Array, limit: number, compression: number): Uint8Array {
  if (compression !== ZSTD) throw new Error(`compression ${compression} is not known here`)
  return zstdDecompressSync(body, { maxOutputLength: Math.max(limit, 1) })
}
