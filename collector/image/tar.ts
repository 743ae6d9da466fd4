import type { ImageEntry } from './files.ts'

const BLOCK = 512

/**
 * A tar archive (ustar) of the entries in their order: owned by root, dated zero, so that the same files
 * make the same bytes. Names have at most 100 bytes.
 */
export function tarOf(entries: readonly ImageEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const content = entry.content?.() ?? new Uint8Array()
    const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)
    return [headerOf(entry, content.length), content, padding]
  })
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)])
}

function headerOf({ path, mode, content, link }: ImageEntry, size: number): Buffer {
  const isDirectory = content === undefined && link === undefined
  const name = isDirectory ? `${path}/` : path
  if (Buffer.byteLength(name) > 100) throw new Error(`the name is too long for an archive: ${name}`)
  const header = Buffer.alloc(BLOCK)
  const put = (at: number, value: string) => header.write(value, at, 'latin1')
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  header.write(name, 0, 'utf8')
  put(100, octal(mode, 7))
  put(108, octal(0, 7))
  put(116, octal(0, 7))
  put(124, octal(size, 11))
  put(136, octal(0, 11))
  put(148, '        ')
  put(156, isDirectory ? '5' : link === undefined ? '0' : '2')
  if (link !== undefined) header.write(link, 157, 'utf8')
  put(257, 'ustar\x0000')
  const sum = header.reduce((total, byte) => total + byte, 0)
  put(148, `${octal(sum, 6)} `)
  return header
}
