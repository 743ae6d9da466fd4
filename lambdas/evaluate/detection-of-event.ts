import { isoTime } from '#correlate'
import { alertId, alertOf, type Rule } from '#engine'
import {
  type BatchHeader,
  type Container,
  lineageOf,
  type SyscallEvent,
  syscallSource,
  viaOf,
} from '#events'
import type {
  ContainerIdentity,
  Detection,
  Evidence,
  PodIdentity,
  SenderState,
} from '../shared/detection.ts'
import { sha256 } from '../shared/sha256.ts'
import type { JudgeSet } from './prepare-set.ts'

/** What a batch says of all its events, and what is known of the batch. */
export interface BatchContext {
  readonly header: BatchHeader
  readonly set: JudgeSet
  readonly sender: SenderState
  readonly evidence: Evidence
  /** ISO 8601. */
  readonly streamTime: string
  readonly evaluateTime: string
  readonly account?: string
  readonly region?: string
}

/** The id of what a rule found in an event of a batch. */
export function detectionId(rule: Rule, event: SyscallEvent, header: BatchHeader): string {
  const { cluster, node, boot, run } = header
  return alertId({ cluster, node, boot, run: `${run}`, seq: event.seq, rule: rule.name }, sha256)
}

/** What a rule found in an event, with all that is known about it. */
export function detectionOfEvent(
  rule: Rule,
  event: SyscallEvent,
  id: string,
  context: BatchContext,
): Detection {
  const { header, set, sender, evidence, streamTime, evaluateTime, account, region } = context
  const { cluster, node, boot, run, rulesetHash, sealedAt } = header
  const { container } = event.process
  const pod = podOf(container)
  const via = viaOf(event)
  const runbook = set.runbookOf[rule.name]
  const covered = set.suppressions.of(rule, event.time, event)
  const alert = alertOf(rule, event, syscallSource, { hostname: node })
  return {
    ...alert,
    lanner: {
      ...{ id, kind: 'rule', cluster, node },
      ...(account !== undefined && { account }),
      ...(region !== undefined && { region }),
      ...{ boot, run: `${run}`, lineage: lineageOf(event.process) },
      ...(pod !== undefined && { pod }),
      ...(container !== undefined && { container: containerOf(container) }),
      ...(via !== undefined && { via }),
      ruleset: set.hash,
      ...(rulesetHash !== set.ruleset && { filteredBy: rulesetHash }),
      ...(runbook !== undefined && { runbook }),
      ...{ count: event.count, evidence, sender },
      ...(covered !== undefined && {
        suppressed: {
          ...{ id: covered.name, owner: covered.owner, reason: covered.reason },
          until: isoTime(covered.until),
        },
      }),
      times: {
        ...{ event: alert.time, batch: isoTime(sealedAt) },
        ...{ stream: streamTime, evaluate: evaluateTime },
      },
    },
  }
}

function podOf(container: Container | undefined): PodIdentity | undefined {
  if (container?.podName === undefined) return undefined
  const { podName, podUid, namespace, workload, serviceAccount, podLabels } = container
  return {
    ...{ name: podName, namespace: namespace ?? '' },
    ...(podUid !== undefined && { uid: podUid }),
    ...(workload !== undefined && { workload: `${workload.kind}/${workload.name}` }),
    ...(serviceAccount !== undefined && { serviceAccount }),
    ...(podLabels !== undefined && { labels: podLabels }),
  }
}

function containerOf(container: Container): ContainerIdentity {
  const { id, name, image, imageDigest, privileged } = container
  return {
    id,
    ...(name !== undefined && { name }),
    ...(image !== undefined && { image }),
    ...(imageDigest !== undefined && { imageDigest }),
    ...(privileged !== undefined && { privileged }),
  }
}
