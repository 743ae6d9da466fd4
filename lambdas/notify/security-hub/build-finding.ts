import type { AwsSecurityFinding, Resource } from '@aws-sdk/client-securityhub'
import { clip, type Notice, type Severity, severityOf, textOf } from '../content/index.ts'

export interface HubPlace {
  readonly partition: string
  readonly region: string
  readonly account: string
}

const labels: Readonly<Record<Severity, 'CRITICAL' | 'HIGH' | 'MEDIUM' | 'LOW' | 'INFORMATIONAL'>> =
  {
    ...{ critical: 'CRITICAL', high: 'HIGH', medium: 'MEDIUM', low: 'LOW', info: 'INFORMATIONAL' },
  }

/**
 * A finding of Security Hub CSPM (ASFF), one for each incident: its id stays, so that a later one
 * updates it. What belongs to the customer (note, workflow) is never set.
 */
export function buildFinding(notice: Notice, place: HubPlace, now: number): AwsSecurityFinding {
  const { partition, region, account } = place
  const { subject, title, sentence, priority, where, count, evidence, words, links } = notice
  const { response } = notice
  const own: readonly (readonly [string, string | undefined])[] = [
    ['lanner/Cluster', where.cluster],
    ['lanner/Namespace', where.namespace],
    ['lanner/Workload', where.workload],
    ['lanner/Node', where.node],
    ['lanner/State', notice.state],
    ['lanner/Revision', String(notice.revision)],
    ['lanner/Count', String(count)],
    ['lanner/Evidence', evidence],
    ['lanner/Words', words],
    ['lanner/Response', response?.id],
    ['lanner/Outcome', response?.outcome],
    ['lanner/Plan', response?.planHash],
    ['lanner/Rules', notice.rules.map((rule) => `${rule.name} × ${rule.count}`).join(', ')],
    ['lanner/Techniques', notice.techniques.map(({ id, name }) => `${id} ${name}`).join(', ')],
  ]
  const given = own.filter((pair): pair is readonly [string, string] => Boolean(pair[1]))
  const process = notice.lineage[0]
  const parent = notice.lineage[1]
  const [first] = links
  const steps = notice.steps.map(({ text, commands }) => [text, ...commands].join(' ')).join(' ')
  const idOf = (...parts: readonly (string | undefined)[]) =>
    clip(['lanner', where.cluster, ...parts].filter(Boolean).join('/'), 512)
  const ProductArn = `arn:${partition}:securityhub:${region}:${account}:product/${account}/default`
  return {
    SchemaVersion: '2018-10-08',
    // a response has a finding of its own beside that of its incident, which must stay as it is
    Id: idOf(subject, response?.id),
    ProductArn,
    ...(response !== undefined && { RelatedFindings: [{ ProductArn, Id: idOf(subject) }] }),
    GeneratorId: clip(`lanner/${title}`, 512),
    AwsAccountId: account,
    Types: typesOf(notice),
    FirstObservedAt: iso(notice.first),
    LastObservedAt: iso(notice.last),
    CreatedAt: iso(notice.opened),
    UpdatedAt: new Date(now).toISOString(),
    Severity: { Label: labels[severityOf(priority)] },
    Title: clip(title, 256),
    Description: clip(sentence, 1024),
    ...(steps !== '' && {
      Remediation: {
        Recommendation: { Text: clip(steps, 512), ...(first !== undefined && { Url: first.url }) },
      },
    }),
    ...(first !== undefined && { SourceUrl: first.url }),
    ProductFields: Object.fromEntries(given.map(([name, value]) => [name, clip(value, 2048)])),
    ...(process !== undefined && {
      Process: {
        Name: clip(process.name, 64),
        Path: clip(process.exe, 512),
        Pid: process.pid,
        ...(parent !== undefined && { ParentPid: parent.pid }),
      },
    }),
    Resources: resourcesOf(notice, place),
    RecordState: response !== undefined && notice.state === 'closed' ? 'ARCHIVED' : 'ACTIVE',
  }
}

/** As namespace/category/classifier of ASFF's taxonomy. */
function typesOf({ tactics }: Notice): string[] {
  const known: Readonly<Record<string, string>> = {
    ...{ 'initial access': 'Initial Access', execution: 'Execution', persistence: 'Persistence' },
    ...{ 'privilege escalation': 'Privilege Escalation', 'defense evasion': 'Defense Evasion' },
    ...{ 'credential access': 'Credential Access', discovery: 'Discovery' },
    ...{ 'lateral movement': 'Lateral Movement', collection: 'Collection' },
    ...{ 'command and control': 'Command and Control' },
  }
  const named = tactics.flatMap((tactic) =>
    Object.hasOwn(known, tactic) ? [`TTPs/${known[tactic]}`] : [],
  )
  const effects = tactics.flatMap((tactic) =>
    tactic === 'exfiltration'
      ? ['Effects/Data Exfiltration']
      : tactic === 'impact'
        ? ['Effects']
        : [],
  )
  const all = [...named, ...effects]
  return all.length > 0 ? all.slice(0, 50) : ['Unusual Behaviors/Process']
}

function resourcesOf(notice: Notice, { partition, region }: HubPlace): Resource[] {
  const { where } = notice
  const path = [where.cluster, where.namespace, where.pod ?? where.node].filter(Boolean).join('/')
  const common = { Partition: partition as 'aws', Region: region }
  const place: Resource = {
    ...{ Type: 'Other', Id: clip(`lanner:${path || 'fleet'}`, 512), ...common },
    Details: {
      Other: {
        ...(where.namespace !== undefined && { namespace: clip(where.namespace, 1024) }),
        ...(where.pod !== undefined && { pod: clip(where.pod, 1024) }),
        ...(where.node !== undefined && { node: clip(where.node, 1024) }),
        details: clip(textOf(notice), 1024),
      },
    },
  }
  if (where.container === undefined) return [place]
  const container: Resource = {
    ...{ Type: 'Container', Id: clip(`lanner:${path}/${where.container}`, 512), ...common },
    Details: {
      Container: {
        Name: clip(where.container, 128),
        ...(where.image !== undefined && { ImageName: clip(where.image, 512) }),
      },
    },
  }
  return [place, container]
}

function iso(time: string): string {
  const milliseconds = Date.parse(time)
  return Number.isNaN(milliseconds) ? time : new Date(milliseconds).toISOString()
}
