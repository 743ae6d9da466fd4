import type {
  DeliveryMessage,
  HealthMessage,
  IncidentMessage,
  ResponseMessage,
} from '../../lambdas/shared/bus-messages.ts'
import type { Detection } from '../../lambdas/shared/detection.ts'
import type { Incident } from '../../lambdas/shared/incident.ts'

/** A runbook as a rule set has it. */
export const sampleRunbook = `# Standard streams redirected to a network connection

Standard input, output or error of a process became a network connection: the heart of a reverse shell.

## What it means
Somebody at the other end of the connection probably has a command line here.

## First steps
1. See what it is: \`kubectl -n {namespace} get pod {pod} -o wide\`
2. Who is the peer? \`kubectl -n {namespace} exec {pod} -c {container} -- ss -tnp\` Block it.
3. Contain first, then look at how it started: \`kubectl -n {namespace} describe {workload}\`

## When it is harmless
Servers that hand connections to children by standard input.
`

const lineage = [
  { pid: 4242, name: 'bash', exe: '/usr/bin/bash' },
  { pid: 4240, name: 'python3', exe: '/usr/bin/python3.11' },
  { pid: 17, name: 'gunicorn', exe: '/usr/local/bin/gunicorn' },
]
const pod = {
  ...{ name: 'api-7d9f8b6c5-x2x7k', namespace: 'payments', uid: '6f1c-11' },
  ...{ workload: 'Deployment/api', serviceAccount: 'api', labels: { app: 'api', team: 'core' } },
}
const container = {
  ...{ id: '3ad7b26ded6d', name: 'api', image: 'registry.example/api:1.2' },
}

export function sampleDetection(over: Partial<Detection> = {}): Detection {
  return {
    hostname: 'node-1',
    output:
      '18:20:01.123456789: Critical Standard stream redirected to the network | connection=10.0.3.7:41822->198.51.100.9:4444 stream=0 process=bash parent=python3 command=bash -i',
    output_fields: {
      ...{
        'evt.time': 1795976401123456789n.toString(),
        'fd.name': '10.0.3.7:41822->198.51.100.9:4444',
      },
      ...{
        'fd.rip': '198.51.100.9',
        'fd.rport': 4444,
        'proc.cmdline': 'bash -i',
        'proc.name': 'bash',
      },
      ...{ 'proc.pname': 'python3', 'user.uid': 0 },
    },
    ...{ priority: 'Critical', rule: 'Standard streams redirected to a network connection' },
    ...{ source: 'syscall', time: '2026-11-26T18:20:01.123456789Z' },
    tags: ['T1059.004', 'container', 'host', 'mitre_execution', 'network'],
    ...over,
    lanner: {
      ...{ id: 'd'.repeat(64), kind: 'rule', incident: '1'.repeat(64), cluster: 'prod-eu' },
      ...{ node: 'node-1', account: '123456789012', region: 'eu-central-1', boot: 'b', run: '1' },
      ...{ lineage, pod, container, ruleset: 'r'.repeat(64), runbook: 'reverse-shell', count: 1 },
      ...{ evidence: { complete: true }, sender: 'verified' },
      times: { event: '2026-11-26T18:20:01.123Z', evaluate: '2026-11-26T18:20:01.900Z' },
      ...over.lanner,
    },
  }
}

export function sampleIncident(over: Partial<Incident> = {}): Incident {
  const member = {
    ...{ id: 'd'.repeat(64), rule: 'Standard streams redirected to a network connection' },
    ...{ priority: 'Critical', time: '2026-11-26T18:20:01.123456789Z' },
    output:
      'Standard stream redirected to the network | connection=10.0.3.7:41822->198.51.100.9:4444',
  }
  return {
    ...{ id: '1'.repeat(64), revision: 1, state: 'open' },
    ...{ title: 'Standard streams redirected to a network connection', priority: 'Critical' },
    ...{ cluster: 'prod-eu', node: 'node-1', account: '123456789012', region: 'eu-central-1' },
    ...{ pod, container, lineage, family: 'execution' },
    rules: { 'Standard streams redirected to a network connection': 1, 'Shell in container': 2 },
    tags: ['T1059.004', 'container', 'host', 'mitre_execution', 'network'],
    ...{ count: 3, first: '2026-11-26T18:20:01.123456789Z', last: '2026-11-26T18:20:03.5Z' },
    members: { first: [member], last: [member] },
    ...{ lake: 'detections/2026/11/26/18/', sender: 'verified', evidence: { complete: true } },
    ...{ ruleset: 'r'.repeat(64), runbooks: ['reverse-shell'], opened: '2026-11-26T18:20:01.950Z' },
    ...over,
  }
}

/** A message about an incident: `opened` with revision 1, unless told otherwise. */
export function sampleMessage(
  over: Partial<Incident> = {},
  reason: IncidentMessage['reason'] = 'opened',
  detection: Detection | undefined = sampleDetection(),
): IncidentMessage {
  const incident = sampleIncident(over)
  return {
    ...{ id: `${incident.id.slice(0, 16)}-${incident.revision}`, incident, reason },
    ...(detection !== undefined && { detection }),
  }
}

export function sampleClosed(over: Partial<Incident> = {}): IncidentMessage {
  const closed = { state: 'closed', closed: '2026-11-26T18:36:00.000Z', revision: 9 } as const
  const { detection: _, ...message } = sampleMessage({ ...closed, ...over }, 'quiet')
  return message
}

export const sampleHealth: HealthMessage = {
  ...{ id: 'h1', cluster: 'prod-eu', node: 'node-7', state: 'silent' },
  text: 'nothing was heard of it for 90 s, although its node is ready',
  time: '2026-11-26T18:20:00.000Z',
}

export const sampleDelivery: DeliveryMessage = {
  ...{ id: 'x1', destination: 'pager', kind: 'pagerduty', state: 'refused' },
  text: 'it answered 401 Unauthorized',
  time: '2026-11-26T18:20:00.000Z',
}

/** What a response to the sample incident said, as its line number `n`. */
export function sampleResponse(n: number, over: Partial<ResponseMessage> = {}): ResponseMessage {
  const response = 'c0ffee'.repeat(5).padEnd(32, '0')
  return {
    ...{ id: `${response}-${n}`, response, incident: '1'.repeat(64), cluster: 'prod-eu' },
    ...{ rule: 'Cut off what talks to strangers', mode: 'approve', phase: 'closed' },
    target: { namespace: 'payments', name: 'api-7d9f8b6c5-x2x7k', uid: '6f1c-11' },
    ...{ text: 'done', time: '2026-11-26T18:21:00.000Z' },
    ...over,
  }
}

/** It waits for approval. */
export const sampleAwaiting = sampleResponse(0, {
  phase: 'awaiting',
  text: 'waits for approval: Describe the pod | Cut the pod off (Service api sends it no more traffic)',
  approve: {
    planHash: '5eed'.repeat(16),
    until: '2026-11-26T18:51:00.000Z',
    does: ['Describe the pod', 'Cut the pod off (Service api sends it no more traffic)'],
  },
})

/** It acted, and the pod talks on. */
export const sampleUnenforced = sampleResponse(4, {
  ...{ phase: 'holding', outcome: 'unenforced', next: 'end the pod' },
  text: 'unenforced: a connection was made 12 s after the act; next: end the pod',
  evidence: { manifest: 'evidence/prod-eu/1/c0ffee/manifest.json', head: 'e'.repeat(64) },
})
