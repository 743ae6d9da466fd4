/** Which rule set judges which cluster; hashes are those of artefacts. */
export interface Assignment {
  /** For clusters that nothing else names. */
  readonly default?: string
  readonly clusters: Readonly<Record<string, ClusterAssignment>>
  /** By label of a cluster, as `key=value`; the first of a cluster's labels that is named decides. */
  readonly labels: Readonly<Record<string, string>>
}

export interface ClusterAssignment {
  readonly set?: string
  readonly labels: readonly string[]
}

/** Why a text is no assignment: all mistakes. */
export class AssignmentError extends Error {
  override readonly name = 'AssignmentError'
}

const hash = /^[0-9a-f]{64}$/

/**
 * Reads an assignment:
 *
 *     {"default": "HASH", "clusters": {"prod-eu": {"set": "HASH", "labels": ["env=prod"]}}, "labels": {"env=prod": "HASH"}}
 */
export function parseAssignment(text: string): Assignment {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new AssignmentError(`the assignment is no JSON: ${(cause as Error).message}`, { cause })
  }
  const mistakes: string[] = []
  const whole = mapOf(json, 'the assignment', mistakes)
  const known = ['default', 'clusters', 'labels']
  for (const key of Object.keys(whole)) {
    if (!known.includes(key)) mistakes.push(`${key} is not one of ${known.join(', ')}`)
  }
  const hashOf = (value: unknown, where: string): string | undefined => {
    if (value === undefined) return undefined
    if (typeof value === 'string' && hash.test(value)) return value
    mistakes.push(`${where} is not the hash of a rule set, 64 hexadecimal digits`)
    return undefined
  }
  const fallback = hashOf(whole['default'], 'default')
  const clusters = Object.entries(mapOf(whole['clusters'] ?? {}, 'clusters', mistakes)).map(
    ([name, value]): [string, ClusterAssignment] => {
      const { set, labels = [] } = mapOf(value, `clusters.${name}`, mistakes)
      const own = hashOf(set, `clusters.${name}.set`)
      if (Array.isArray(labels) && labels.every((label) => typeof label === 'string')) {
        return [name, { ...(own !== undefined && { set: own }), labels: labels as string[] }]
      }
      mistakes.push(`clusters.${name}.labels is not a list of texts like env=prod`)
      return [name, { labels: [] }]
    },
  )
  const labels = Object.entries(mapOf(whole['labels'] ?? {}, 'labels', mistakes)).map(
    ([label, set]) => [label, hashOf(set, `labels.${label}`) ?? ''],
  )
  if (mistakes.length > 0) throw new AssignmentError(mistakes.join('; '))
  return {
    ...(fallback !== undefined && { default: fallback }),
    clusters: Object.fromEntries(clusters),
    labels: Object.fromEntries(labels),
  }
}

/** The rule set of a cluster: its own, that of one of its labels, or the default. */
export function setOf(assignment: Assignment, cluster: string): string | undefined {
  const own = Object.hasOwn(assignment.clusters, cluster) ? assignment.clusters[cluster] : undefined
  if (own?.set !== undefined) return own.set
  const label = own?.labels.find((each) => Object.hasOwn(assignment.labels, each))
  return label === undefined ? assignment.default : assignment.labels[label]
}

function mapOf(value: unknown, what: string, mistakes: string[]): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  mistakes.push(`${what} is not a map`)
  return {}
}
