import { flagTables } from '../flag-tables.ts'

/** Texts of a table are kept up to this many values: hostile callers can make up any. */
const textLimit = 1024

/**
 * Names of the bits set in a value, joined by `|` in table order. A bit is named once, so that O_RDWR
 * hides O_RDONLY and O_WRONLY; an entry of value 0 names the value 0 alone. "" when no bit has a name.
 */
export function flagNamer(table: string): (value: number) => string {
  const entries = flagTables.get(table) ?? []
  return cached((value) => {
    const names: string[] = []
    let rest = Number.isInteger(value) ? BigInt(value) : 0n
    for (const entry of entries) {
      const bits = BigInt(entry.value)
      if (bits === 0n ? value === 0 : (rest & bits) === bits) names.push(entry.name)
      if (bits !== 0n && (rest & bits) === bits) rest &= ~bits
    }
    return names.join('|')
  })
}

/** All names whose value is exactly this one, joined by `|`. "" when there is none. */
export function valueNamer(table: string): (value: number) => string {
  const entries = flagTables.get(table) ?? []
  return cached((value) =>
    entries
      .filter((entry) => entry.value === value)
      .map(({ name }) => name)
      .join('|'),
  )
}

function cached(name: (value: number) => string): (value: number) => string {
  const texts = new Map<number, string>()
  return (value) => {
    let text = texts.get(value)
    if (text === undefined) {
      text = name(value)
      if (texts.size >= textLimit) texts.clear()
      texts.set(value, text)
    }
    return text
  }
}
