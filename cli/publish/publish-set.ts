import type { RuleArtefact } from '#artefact'
import { responsesKey } from '../../lambdas/respond/policy-in-force.ts'
import { type Assignment, setOf } from '../../lambdas/shared/rule-sets/assignment.ts'
import { assignmentKey } from '../../lambdas/shared/rule-sets/rule-sets.ts'
import { Refused } from '../aws-problem.ts'
import type { Io } from '../io.ts'
import { printable } from '../printable.ts'
import {
  assignmentIn,
  assignmentText,
  type Held,
  Overtaken,
  type RuleBucket,
} from '../rule-bucket.ts'
import { answeredAutomatically } from './answered-automatically.ts'
import { withSet } from './assign.ts'
import { artefactDifference, type Difference } from './difference.ts'
import { overtakenText } from './overtaken.ts'
import { Publication } from './publication.ts'
import { policyIn } from './responses-kind.ts'

const attempts = 5

export interface SetPublication {
  /** Hash of the artefact, which the bucket has. */
  readonly set: string
  readonly artefact: RuleArtefact
  /** What the publication read when it was opened. */
  readonly held: Held | undefined
  /** For these, or as the default of all that have none of their own. */
  readonly clusters: readonly string[] | undefined
  readonly io: Io
}

/** A publication of which rule set judges which cluster. */
export function rulesPublication(bucket: string, bus = 'lanner-bus'): Publication {
  return new Publication({ bucket, bus, what: 'rules', key: assignmentKey })
}

/**
 * Assigns a set. What others assigned to other clusters in between is kept; for the same clusters it is
 * {@link Refused} with who it was. Gives what changed.
 */
export async function publishSet(
  publication: Publication,
  { set, artefact, held: opened, clusters, io }: SetPublication,
): Promise<SetChanges> {
  let held = opened
  for (let attempt = 1; ; attempt += 1) {
    const now = assignmentIn(held)
    const { changes, automatic } = await setChanges(publication.bucket, now, clusters, artefact)
    const after = withSet(now, clusters, set)
    try {
      const more = { set, ...(clusters !== undefined && { clusters }), changes, automatic }
      const text = assignmentText(after)
      await publication.put({ kind: 'publish', text, before: now, after, ...more })
      return { changes, automatic }
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error
      const last = held
      held = await publication.open()
      const between = await publication.since(last)
      const isTaken = !judgesAlike(now, assignmentIn(held), clusters)
      if (isTaken || attempt >= attempts) throw new Refused(overtakenText(between))
      io.err(`lanner: in between, for other clusters: ${printable(between.split('\n')[0]!)}\n`)
    }
  }
}

export interface SetChanges {
  readonly changes: Difference
  /** Which of the rules that are new or changed automatic responses answer. */
  readonly automatic: readonly string[]
}

/** What a set changes for clusters that are assigned like this, and what responses in force make of it. */
export async function setChanges(
  bucket: RuleBucket,
  before: Assignment,
  clusters: readonly string[] | undefined,
  artefact: RuleArtefact,
): Promise<SetChanges> {
  const changes = await artefactDifference(bucket, before, clusters, artefact)
  const responses = await bucket.read(responsesKey)
  const policy = responses === undefined ? undefined : policyIn(responses.text)
  const names = [...changes.added, ...changes.changed]
  const automatic = policy === undefined ? [] : answeredAutomatically(artefact, names, policy)
  return { changes, automatic }
}

/** Whether two assignments say the same of what a publication is about. */
function judgesAlike(
  one: Assignment,
  other: Assignment,
  clusters: readonly string[] | undefined,
): boolean {
  if (clusters === undefined) return one.default === other.default
  return clusters.every((name) => setOf(one, name) === setOf(other, name))
}
