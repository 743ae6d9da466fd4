/** What one measurement gave, round by round. */
export type Rounds = readonly number[]

export function median(values: Rounds): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The value below which `share` of the values lie. */
export function quantile(values: Rounds, share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** Median with the least and the greatest: `1.30 (1.25–1.41)`. */
export function spread(values: Rounds, digits = 2): string {
  if (values.length === 0) return '–'
  const text = (value: number) => value.toFixed(digits)
  if (values.length === 1) return text(values[0]!)
  return `${text(median(values))} (${text(Math.min(...values))}–${text(Math.max(...values))})`
}

/** One table of the report. Cells are text as it is to be read. */
export interface Table {
  readonly title: string
  readonly note?: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export function markdown({ title, note, columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const parts = [`### ${title}`, '']
  if (note !== undefined) parts.push(note, '')
  parts.push(line(columns), line(columns.map(() => '---')), ...rows.map(line), '')
  return parts.join('\n')
}
