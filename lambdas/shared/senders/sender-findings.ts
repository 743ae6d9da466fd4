import type { SensorFinding } from '../sensor-finding.ts'
import { quoted } from '../sensor-finding.ts'
import type { SenderRecord } from './senders.ts'

/** What is wrong with who a batch says it is from. */
export type Claim =
  | { readonly kind: 'elsewhere'; readonly cluster: string; readonly node: string }
  | { readonly kind: 'second-key' | 'unknown-key' | 'wrong-signature' | 'unsigned' }
  | { readonly kind: 'nobody-vouches' }
  | { readonly kind: 'unproven' | 'refused'; readonly reason: string }

/** Names of the rules, as people see and route them. */
export const senderRules = {
  elsewhere: 'Sensor claims to be another node',
  'second-key': 'Sensor key changed within a run',
  'unknown-key': 'Batch signed by an unknown key',
  'wrong-signature': 'Batch signature is wrong',
  unsigned: 'Batch without signature',
  'nobody-vouches': 'Batch from where nobody vouches',
  unproven: 'Sensor does not prove its node',
  refused: 'Sensor token refused',
} as const

const priorities: Readonly<Record<Claim['kind'], SensorFinding['priority']>> = {
  elsewhere: 'Critical',
  'second-key': 'Critical',
  'unknown-key': 'Critical',
  'wrong-signature': 'Critical',
  unsigned: 'Warning',
  'nobody-vouches': 'Notice',
  unproven: 'Notice',
  refused: 'Warning',
}

export const issuerRule = 'Keys of an issuer cannot be read'
const tags = ['lanner', 'identity']

/**
 * What to tell of a claim. The names in a batch are not whom it is about: they are only claimed, and
 * stand among the fields. Its cluster is given where it is one of ours, so that its people hear of it.
 */
export function findingOf(
  { header, arrivedAt }: SenderRecord,
  claim: Claim,
  isOurCluster: boolean,
): SensorFinding {
  const { cluster, node, boot, run, keyId, sequence } = header
  const isKnown = claim.kind === 'elsewhere'
  const about = isKnown
    ? { cluster: claim.cluster, node: claim.node }
    : { cluster: isOurCluster ? cluster : '', node: '' }
  return {
    rule: senderRules[claim.kind],
    priority: priorities[claim.kind],
    ...about,
    sender: isKnown && claim.node !== '' ? 'verified' : 'unverified',
    time: new Date(arrivedAt).toISOString(),
    text: textOf(claim, `node ${quoted(node)} of cluster ${quoted(cluster)}`),
    fields: {
      'claimed.cluster': cluster,
      'claimed.node': node,
      'claimed.boot': boot,
      'claimed.run': `${run}`,
      'claimed.key': keyId,
      'claimed.sequence': sequence,
    },
    tags,
    key: [about.cluster, about.node, cluster, node, boot, `${run}`, keyId],
  }
}

/** Nobody's fault but ours: told once an hour. */
export function issuerFinding({ header, arrivedAt }: SenderRecord, reason: string): SensorFinding {
  const { cluster } = header
  return {
    rule: issuerRule,
    priority: 'Warning',
    cluster,
    node: '',
    sender: 'unverified',
    time: new Date(arrivedAt).toISOString(),
    text: `sensors of cluster ${quoted(cluster)} cannot be verified: ${reason}`,
    fields: { reason },
    tags,
    key: [cluster, `${Math.floor(arrivedAt / 3_600_000)}`],
  }
}

function textOf(claim: Claim, claimed: string): string {
  switch (claim.kind) {
    case 'elsewhere': {
      const where = claim.node === '' ? 'a node' : `node ${quoted(claim.node)}`
      return `${where} of cluster ${quoted(claim.cluster)} sends batches that say they are from ${claimed}`
    }
    case 'second-key':
      return `a second key with a good token signs a run of ${claimed}`
    case 'unknown-key':
      return `somebody signs batches with another key than the one known, and says they are from ${claimed}`
    case 'wrong-signature':
      return `a batch that says it is from ${claimed} was changed, or its key is somebody else's`
    case 'unsigned':
      return `somebody sends batches without signature that say they are from ${claimed}`
    case 'nobody-vouches':
      return `batches say they are from ${claimed}, for which there is neither issuer nor enrolled key`
    case 'unproven':
      return `the sensor that says it is on ${claimed} does not prove it: ${claim.reason}`
    case 'refused':
      return `the token of the sensor that says it is on ${claimed} is refused: ${claim.reason}`
  }
}
