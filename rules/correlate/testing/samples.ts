import { createHash } from 'node:crypto'
import { advance } from '../advance.ts'
import type { Correlation, CorrelationType } from '../correlation.ts'
import type { Contribution, Firing } from '../firing.ts'
import type { Json } from '../state-store.ts'
import { compare, measure } from '../window.ts'

export const second = 1_000_000_000n

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function correlation(type: CorrelationType, more: Partial<Correlation> = {}): Correlation {
  return {
    name: `a ${type}`,
    description: '',
    type,
    parts: [{ rule: 'A' }, { rule: 'B' }],
    groupBy: ['user.name'],
    timespan: 10n * second,
    lateness: 120n * second,
    conditions: type.endsWith('_count') ? [{ operator: 'gte', bound: 3 }] : [],
    generate: true,
    output: { text: '', parts: [] },
    priority: 4,
    tags: [],
    ...more,
  }
}

/** A detection at a second, as a correlation sees it. */
export function detection(
  of: Correlation,
  at: number,
  more: { readonly part?: number; readonly value?: string; readonly id?: string } = {},
): Contribution {
  const { part = 0, value = '', id = `${at} ${part} ${value}` } = more
  const time = BigInt(Math.round(at * 1000)) * 1_000_000n
  return { correlation: of, key: 'key', group: { 'user.name': 'a' }, part, value, id, time }
}

/** Gives batches one after the other to a group. */
export function follow(
  of: Correlation,
  batches: readonly (readonly Contribution[])[],
): { fired: Firing[]; late: number; state: Json | undefined } {
  let state: Json | undefined
  let late = 0
  const fired = new Map<string, Firing>()
  for (const batch of batches) {
    if (batch.length === 0) continue
    const result = advance(of, state, batch, sha256)
    // word for word, as a store would give it back
    state = JSON.parse(JSON.stringify(result.state))
    late += result.late
    for (const firing of result.fired) fired.set(firing.id, firing)
  }
  return { fired: [...fired.values()], late, state }
}

/** Where the condition begins to hold and where it last holds, found without any cleverness. */
export function stretches(
  of: Correlation,
  all: readonly Contribution[],
): { start: bigint; end: bigint }[] {
  const members = [...new Map(all.map((each) => [`${each.id} ${each.part}`, each])).values()]
  const times = [...new Set(members.map(({ time }) => time))].sort((a, b) => Number(a - b))
  const found: { start: bigint; end: bigint }[] = []
  let before: bigint | undefined
  for (const time of times) {
    const window = members.filter(
      (member) => member.time <= time && member.time >= time - of.timespan,
    )
    const emptied = before === undefined || time - before > of.timespan
    const last = found.at(-1)
    if (holds(of, window)) {
      if (!emptied && last?.end === before) last!.end = time
      else found.push({ start: time, end: time })
    }
    before = time
  }
  return found
}

function holds(of: Correlation, window: readonly Contribution[]): boolean {
  if (of.type === 'temporal') return of.parts.every((_, i) => window.some(({ part }) => part === i))
  if (of.type === 'temporal_ordered') return chains(window, of.parts.length, -1n)
  return compare(of.conditions, measure(of, window))
}

/** Tries every way to pick the parts one after the other. */
function chains(window: readonly Contribution[], length: number, after: bigint, part = 0): boolean {
  if (part === length) return true
  return window.some(
    (member) =>
      member.part === part && member.time > after && chains(window, length, member.time, part + 1),
  )
}
