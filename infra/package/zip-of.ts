import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipEntry {
  readonly name: string
  readonly content: Uint8Array
}

/**
 * A zip archive of files in their order, readable for all and dated 1980-01-01, so that the same files make
 * the same bytes: Lambda takes what did not change for the same code.
 */
export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const { name, content } of entries) {
    const packed = deflateRawSync(content, { level: 9 })
    const nameBytes = Buffer.from(name)
    const facts = Buffer.alloc(26)
    // version 2.0, names in UTF-8, deflated, at midnight of the first day there is
    for (const [offset, value] of [20, 0x0800, 8, 0, 0x0021].entries()) {
      facts.writeUInt16LE(value, offset * 2)
    }
    facts.writeUInt32LE(crc32(content), 10)
    facts.writeUInt32LE(packed.length, 14)
    facts.writeUInt32LE(content.length, 18)
    facts.writeUInt16LE(nameBytes.length, 22)
    parts.push(signature(0x04034b50), facts, nameBytes, packed)
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE((0o100644 << 16) >>> 0, 6)
    rest.writeUInt32LE(at, 10)
    // made by Unix, which knows modes
    directory.push(signature(0x02014b50), Buffer.from([20, 3]), facts, rest, nameBytes)
    at += 4 + facts.length + nameBytes.length + packed.length
  }
  const listed = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(entries.length, 4)
  end.writeUInt16LE(entries.length, 6)
  end.writeUInt32LE(listed.length, 8)
  end.writeUInt32LE(at, 12)
  return Buffer.concat([...parts, listed, signature(0x06054b50), end])
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
