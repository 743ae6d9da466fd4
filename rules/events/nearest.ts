/**
 * The candidate a misspelt `name` most likely means, `undefined` when none is close. Of several
 * equally close ones, the one that begins like the name for longest.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.floor(name.length / 3))
  let longest = -1
  const wanted = name.slice(0, 80).toLowerCase()
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) > least) continue
    const edits = distance(wanted, candidate.toLowerCase())
    if (edits > least) continue
    const shared = sharedPrefix(wanted, candidate.toLowerCase())
    if (edits === least && shared <= longest) continue
    least = edits
    longest = shared
    best = candidate
  }
  return best
}

function sharedPrefix(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length += 1
  return length
}

/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      let edits = Math.min(replace, last[j]! + 1, row[j - 1]! + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        edits = Math.min(edits, beforeLast[j - 2]! + 1)
      }
      row.push(edits)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}
