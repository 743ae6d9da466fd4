/** Names that fit the same of some patterns. */
export interface NameClass {
  /** The shortest such name. */
  readonly example: string
  /** Which patterns it fits, in their order. */
  readonly fits: readonly boolean[]
}

/** Steps of the search: beyond it there is no answer. */
const mostSteps = 2_000_000

/**
 * All ways in which a name of one character or more can fit patterns with `*`, each with an example: what
 * holds for the examples holds for every name. `undefined` when the patterns are too many to tell.
 */
export function nameClasses(patterns: readonly string[]): readonly NameClass[] | undefined {
  const automata = patterns.map((pattern) => automatonOf(pattern))
  const letters = new Set(patterns.flatMap((pattern) => [...pattern]).filter((c) => c !== '*'))
  letters.add(
    [...'xyzabcdefghijklmnopqrstuvw0123456789'].find((c) => !letters.has(c)) ?? '\u{fffd}',
  )
  const found = new Map<string, NameClass>()
  const seen = new Set<string>()
  let steps = 0
  let edge: Reached[] = [{ name: '', at: automata.map(({ start }) => start) }]
  while (edge.length > 0) {
    const next: Reached[] = []
    for (const { name, at } of edge) {
      for (const letter of letters) {
        steps += 1 + patterns.length
        if (steps > mostSteps) return undefined
        const to = at.map((places, i) => automata[i]!.step(places, letter))
        const key = to.map((places) => places.toString(36)).join(' ')
        if (seen.has(key)) continue
        seen.add(key)
        const longer = name + letter
        const fits = to.map((places, i) => automata[i]!.ends(places))
        const vector = fits.map(Number).join('')
        if (!found.has(vector)) found.set(vector, { example: longer, fits })
        next.push({ name: longer, at: to })
      }
    }
    edge = next
  }
  return [...found.values()]
}

interface Reached {
  readonly name: string
  /** Places in each pattern that the name may have led to, as bits. */
  readonly at: readonly bigint[]
}

interface Automaton {
  readonly start: bigint
  step(places: bigint, letter: string): bigint
  ends(places: bigint): boolean
}

/** One bit for each place before a character of the pattern, and one for its end. */
function automatonOf(pattern: string): Automaton {
  const characters = [...pattern]
  let stars = 0n
  const masks = new Map<string, bigint>()
  for (const [i, c] of characters.entries()) {
    const bit = 1n << BigInt(i)
    if (c === '*') stars |= bit
    else masks.set(c, (masks.get(c) ?? 0n) | bit)
  }
  // a `*` may stand for nothing
  const past = (places: bigint): bigint => {
    for (let all = places; ; ) {
      const more = all | ((all & stars) << 1n)
      if (more === all) return all
      all = more
    }
  }
  const end = 1n << BigInt(characters.length)
  return {
    start: past(1n),
    step: (places, letter) => {
      return past(((places & (masks.get(letter) ?? 0n)) << 1n) | (places & stars))
    },
    ends: (places) => (places & end) !== 0n,
  }
}
