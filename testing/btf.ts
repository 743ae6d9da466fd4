/** Size and member offsets of a struct, in bytes. */
export interface Struct {
  readonly size: number
  readonly members: ReadonlyMap<string, number>
}

const KIND_STRUCT = 4
/** Bytes that follow a type of each kind: fixed, or by its number of members. */
const extraBytes: Readonly<Record<number, (members: number) => number>> = {
  1: () => 4,
  3: () => 12,
  4: (members) => members * 12,
  5: (members) => members * 12,
  6: (members) => members * 8,
  13: (members) => members * 8,
  14: () => 4,
  15: (members) => members * 12,
  17: () => 4,
  19: (members) => members * 12,
}

function section(elf: DataView, bytes: Uint8Array, wanted: string): Uint8Array {
  const table = Number(elf.getBigUint64(0x28, true))
  const entryBytes = elf.getUint16(0x3a, true)
  const count = elf.getUint16(0x3c, true)
  const names = elf.getUint16(0x3e, true)
  const header = (index: number) => {
    const at = table + index * entryBytes
    return {
      name: elf.getUint32(at, true),
      offset: Number(elf.getBigUint64(at + 0x18, true)),
      size: Number(elf.getBigUint64(at + 0x20, true)),
    }
  }
  const strings = header(names).offset
  for (let i = 0; i < count; i++) {
    const { name, offset, size } = header(i)
    if (text(bytes, strings + name) === wanted) return bytes.subarray(offset, offset + size)
  }
  throw new Error(`no section ${wanted}`)
}

function text(bytes: Uint8Array, at: number): string {
  return Buffer.from(bytes.subarray(at, bytes.indexOf(0, at))).toString('latin1')
}

/** Reads the structs of an ELF object from its `.BTF` section (Linux: Documentation/bpf/btf.rst). */
export function structsOf(elf: Uint8Array): ReadonlyMap<string, Struct> {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength)
  const btf = section(view, elf, '.BTF')
  const head = new DataView(btf.buffer, btf.byteOffset, btf.byteLength)
  const headerBytes = head.getUint32(4, true)
  const typesAt = headerBytes + head.getUint32(8, true)
  const typesEnd = typesAt + head.getUint32(12, true)
  const stringsAt = headerBytes + head.getUint32(16, true)
  const structs = new Map<string, Struct>()
  for (let at = typesAt; at < typesEnd; ) {
    const info = head.getUint32(at + 4, true)
    const kind = (info >>> 24) & 31
    const count = info & 0xffff
    if (kind === KIND_STRUCT) {
      const members = new Map<string, number>()
      for (let i = 0; i < count; i++) {
        const member = at + 12 + i * 12
        const bits = head.getUint32(member + 8, true) & 0xffffff
        members.set(text(btf, stringsAt + head.getUint32(member, true)), bits / 8)
      }
      structs.set(text(btf, stringsAt + head.getUint32(at, true)), {
        size: head.getUint32(at + 8, true),
        members,
      })
    }
    at += 12 + (extraBytes[kind]?.(count) ?? 0)
  }
  return structs
}
