import type { ImageEntry } from '../../collector/image/files.ts'

/** An initial file system (cpio, newc) of the entries in their order, owned by root. */
export function cpioOf(entries: readonly ImageEntry[]): Buffer {
  const parts = entries.flatMap((entry, index) => member(entry, index + 1))
  return Buffer.concat([...parts, ...member({ path: 'TRAILER!!!', mode: 0 }, 0)])
}

function member({ path, mode, content, link }: ImageEntry, inode: number): Buffer[] {
  const data = link === undefined ? Buffer.from(content?.() ?? []) : Buffer.from(link)
  const type = link !== undefined ? 0o120000 : content === undefined ? 0o040000 : 0o100000
  const name = Buffer.from(`${path}\0`)
  const fields = [inode, type | mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0]
  const head = Buffer.from(
    `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`,
  )
  const pad = (length: number) => Buffer.alloc((4 - (length % 4)) % 4)
  return [head, name, pad(head.length + name.length), data, pad(data.length)]
}
