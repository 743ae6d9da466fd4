import { canonical, sha256 } from '../plan/plan.ts'

/** A piece of evidence. Each entry holds the hash of the one before: none can be taken out or changed. */
export interface Entry {
  readonly n: number
  readonly name: string
  readonly key: string
  readonly size: number
  readonly sha256: string
  /** ISO 8601. */
  readonly collectedAt: string
  /** Where it comes from. */
  readonly call: string
  readonly prev: string
  readonly hash: string
}

export interface Manifest {
  readonly version: 1
  readonly response: string
  readonly incident: string
  readonly cluster: string
  readonly planHash: string
  readonly redacted: true
  /** Pieces that could not be had, and why. */
  readonly missing: readonly string[]
  readonly entries: readonly Entry[]
}

/** What the first entry follows: the manifest's own head. */
function origin({ entries: _, ...head }: Manifest): string {
  return sha256(canonical(head))
}

/** Adds an entry to a manifest. */
export function withEntry(manifest: Manifest, entry: Omit<Entry, 'n' | 'prev' | 'hash'>): Manifest {
  const last = manifest.entries.at(-1)
  const linked = {
    n: manifest.entries.length + 1,
    ...entry,
    prev: last?.hash ?? origin(manifest),
  }
  const hash = sha256(canonical(linked))
  return { ...manifest, entries: [...manifest.entries, { ...linked, hash }] }
}

/** The hash that stands for all of the evidence: to be kept elsewhere. */
export function headOf(manifest: Manifest): string {
  return manifest.entries.at(-1)?.hash ?? origin(manifest)
}

/**
 * All that is wrong with evidence: entries changed, left out, added or turned round, objects that are
 * gone or say something else. `head` is what was kept elsewhere; without it nobody can tell whether
 * the whole was replaced.
 */
export async function verifyEvidence(
  text: string,
  get: (key: string) => Promise<Uint8Array | undefined>,
  head?: string,
): Promise<{ readonly problems: readonly string[]; readonly manifest?: Manifest }> {
  let manifest: Manifest
  try {
    manifest = JSON.parse(text) as Manifest
    if (manifest.version !== 1 || !Array.isArray(manifest.entries)) throw new Error('its shape')
  } catch (error) {
    return { problems: [`the manifest cannot be read: ${(error as Error).message}`] }
  }
  const problems: string[] = []
  let prev = origin(manifest)
  for (const [i, entry] of manifest.entries.entries()) {
    const { hash, ...linked } = entry
    const where = `${i + 1} (${entry.name})`
    if (entry.n !== i + 1) problems.push(`entry ${where} says that it is number ${entry.n}`)
    if (entry.prev !== prev) problems.push(`entry ${where} does not follow the one before it`)
    if (sha256(canonical(linked)) !== hash) problems.push(`entry ${where} was changed`)
    prev = hash
    const bytes = await get(entry.key)
    if (bytes === undefined) problems.push(`${entry.key} is gone`)
    else if (bytes.length !== entry.size || sha256(bytes) !== entry.sha256) {
      problems.push(`${entry.key} says something else than it did`)
    }
  }
  if (head !== undefined && prev !== head) {
    problems.push(
      `it ends with ${prev}, not with ${head}: entries are missing, or it is another one`,
    )
  }
  return { problems, manifest }
}
