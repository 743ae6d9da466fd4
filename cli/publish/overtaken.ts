import { Refused } from '../aws-problem.ts'
import { type Held, Overtaken } from '../rule-bucket.ts'
import type { Publication } from './publication.ts'

/** Does it; when somebody was first, {@link Refused} says who, and what they changed. */
export async function orTell(
  publication: Publication,
  held: Held | undefined,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof Overtaken)) throw error
    await publication.open()
    throw new Refused(overtakenText(await publication.since(held)))
  }
}

export function overtakenText(between: string): string {
  return `somebody was first, and nothing of yours is in force; look at it and publish again:\n${between}`
}
