import { createHash } from 'node:crypto'
import type { Detection, DetectionContext } from '../../detection.ts'
import type { Group } from '../group.ts'

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** A detection, and what the test says instead. */
export function makeDetection(
  facts: Partial<Omit<Detection, 'lanner'>> & { readonly lanner?: Partial<DetectionContext> } = {},
): Detection {
  const { lanner, ...rest } = facts
  const time = rest.time ?? '2026-11-26T10:00:00.000000000Z'
  return {
    ...{ hostname: 'node-1', output: 'something happened', output_fields: {} },
    ...{ priority: 'Warning', rule: 'Some rule', source: 'syscall', tags: ['mitre_execution'] },
    time,
    ...rest,
    lanner: {
      ...{ id: 'd1', kind: 'rule', cluster: 'prod', node: 'node-1', ruleset: 'r', count: 1 },
      ...{ evidence: { complete: true }, sender: 'verified' },
      times: { event: time, evaluate: time },
      ...lanner,
    },
  }
}

export const someGroup: Group = {
  ...{
    cluster: 'prod',
    node: 'node-1',
    place: 'pod 1',
    origin: 'boot 7 9',
    family: 'mitre_execution',
  },
}
