import { Validations } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'

/**
 * Says that a finding of a check is meant, and why. A test counts them; a finding that nobody
 * acknowledged fails the synthesis.
 */
export function acknowledge(of: IConstruct, ids: readonly string[], reason: string): void {
  for (const id of ids) Validations.of(of).acknowledge({ id, reason })
}
