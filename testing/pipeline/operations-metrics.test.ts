import { rmSync } from 'node:fs'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { metricsOf, type WantedMetric } from '../../infra/testing/metrics-of.ts'
import { flat, ofType, type Synthesised, synthesise } from '../../infra/testing/synthesise.ts'
import { incidentMessage, policyText } from '../../lambdas/respond/testing/response-world.ts'
import type { DeliveryEnvelope } from '../../lambdas/shared/delivery-envelope.ts'
import { other, responseStates, tactics } from '../../lambdas/shared/metric-dimensions.ts'
import { assignmentKey } from '../../lambdas/shared/rule-sets/rule-sets.ts'
import { sampleMessage } from '../destinations/sample-messages.ts'
import { FleetNode } from './fleet.ts'
import { Pipeline } from './pipeline.ts'

/** The assignment is read again after 30 s: the last thing that has to be seen waits for it. */
const refreshMs = 31_000
const cluster = 'prod'
let pipeline: Pipeline
let made: Synthesised
/** `Name dimension=value …` of all that the functions wrote. */
let emitted: ReadonlySet<string>

beforeAll(async () => {
  made = await synthesise({
    ...{ account: '111111111111', region: 'eu-central-1', response: true },
    clusters: [{ name: cluster }],
  })
  pipeline = await Pipeline.start({
    stages: ['evaluate', 'falco', 'lake', 'router', 'notify-sns', 'respond'],
    overrides: { env: { evaluate: { CLUSTERS: cluster } } },
  })
  const { stack } = pipeline
  const { s3, sqs } = stack.clients
  const Bucket = stack.names.name('rules')
  const put = (Key: string, Body: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body }))
  await put('responses.yaml', `${policyText}- {mode: approve}\n`)
  const destination = '{destination: topic, kind: sns}'
  await put('routes.yaml', `match: all\ndestinations:\n  - ${destination}\ndefault: {to: topic}\n`)
  const node = new FleetNode('node-0', { containers: 1 })
  const batch = (at: number) => node.batch(BigInt(Date.now()) * 1_000_000n + BigInt(at), 40, 30)
  await pipeline.put([batch(0), batch(1), Buffer.from('no batch')])
  const alert = {
    ...{ output: 'x', priority: 'Notice', rule: 'Shell', time: '2026-11-26T09:59:58Z' },
    ...{ output_fields: {}, tags: ['mitre_impact'], hostname: 'n', source: 'syscall' },
  }
  const QueueUrl = stack.names.queueUrl('falco-alerts')
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(alert) }))
  const pod = { name: 'web', namespace: 'shop', uid: 'u-1' }
  const body = JSON.stringify({ detail: incidentMessage(pod) })
  await stack.invoke('respond', { Records: [{ messageId: 'm', body }] })
  await stack.invoke('notify-sns', {
    Records: [{ messageId: 'm', body: JSON.stringify(envelope()) }],
  })
  await stack.settle()
  await put(assignmentKey, '{')
  await new Promise((resolve) => setTimeout(resolve, refreshMs))
  await pipeline.put([batch(2)])
  await stack.settle()
  emitted = metricsIn(pipeline.logged)
}, 120_000)
afterAll(async () => {
  await pipeline?.stop()
  if (made !== undefined) rmSync(made.directory, { recursive: true, force: true })
})

/** What the router hands over about an incident of now. */
function envelope(): DeliveryEnvelope {
  const detail = sampleMessage({ last: new Date().toISOString() })
  const detailType = 'Incident Opened'
  return { destination: 'topic', detailType, detail, since: Date.now(), attempt: 0 }
}

function metricsIn(lines: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>()
  for (const line of lines) {
    const [, text = ''] = /^[\w-]+: (\{"_aws".*\})$/.exec(line) ?? []
    if (text === '') continue
    const record = JSON.parse(text)
    for (const { Namespace, Dimensions, Metrics } of record._aws.CloudWatchMetrics) {
      for (const { Name } of Metrics) {
        for (const set of Dimensions as string[][]) {
          const dimensions = Object.fromEntries(set.map((key) => [key, String(record[key])]))
          found.add(nameOf({ namespace: Namespace, name: Name, dimensions }))
        }
      }
    }
  }
  return found
}

function nameOf({ namespace, name, dimensions }: WantedMetric): string {
  const pairs = Object.entries(dimensions).map(([key, value]) => `${key}=${value}`)
  return [namespace, name, ...pairs.sort()].join(' ')
}

/** Values that a metric is split into: one of them that was written stands for all. */
const splits: Readonly<Record<string, readonly string[]>> = {
  tactic: [...tactics, other],
  cluster: [cluster, other],
  state: responseStates,
}

/** Own metrics that no function writes. */
function unwritten(wanted: readonly WantedMetric[], written: ReadonlySet<string>): string[] {
  const isWritten = ({ namespace, name, dimensions }: WantedMetric) => {
    const [[key = '', value = ''] = [], ...more] = Object.entries(dimensions)
    const values = splits[key]
    if (more.length > 0) return false
    if (values !== undefined) {
      const all = values.map((one) => nameOf({ namespace, name, dimensions: { [key]: one } }))
      return values.includes(value) && all.some((one) => written.has(one))
    }
    // functions of destinations are one code
    const service = value.startsWith('notify-') ? 'notify-sns' : value
    return written.has(nameOf({ namespace, name, dimensions: { [key]: service } }))
  }
  const own = wanted.filter(({ namespace }) => namespace === 'Lanner')
  return own.filter((one) => !isWritten(one)).map(nameOf)
}

/** Metrics of AWS as its documentation has them, with the type whose name their dimension is. */
const ofAws: Readonly<Record<string, readonly [dimension: string, type: string, names: string[]]>> =
  {
    'AWS/Lambda': [
      'FunctionName',
      'AWS::Lambda::Function',
      [
        ...['Errors', 'Throttles', 'Duration', 'IteratorAge', 'Invocations'],
        'DestinationDeliveryFailures',
      ],
    ],
    'AWS/SQS': [
      'QueueName',
      'AWS::SQS::Queue',
      ['ApproximateNumberOfMessagesVisible', 'ApproximateAgeOfOldestMessage'],
    ],
    'AWS/Kinesis': [
      'StreamName',
      'AWS::Kinesis::Stream',
      ['IncomingBytes', 'IncomingRecords', 'WriteProvisionedThroughputExceeded'],
    ],
    'AWS/Firehose': [
      'DeliveryStreamName',
      'AWS::KinesisFirehose::DeliveryStream',
      ['DeliveryToS3.DataFreshness', 'DataReadFromKinesisStream.Records'],
    ],
    'AWS/DynamoDB': [
      'TableName',
      'AWS::DynamoDB::Table',
      ['ConsumedWriteCapacityUnits', 'ConsumedReadCapacityUnits'],
    ],
  }

/** Those that a mapping writes when its `MetricsConfig` asks for them, of streams. */
const ofMappings: (typeof ofAws)[string] = [
  'EventSourceMappingUUID',
  'AWS::Lambda::EventSourceMapping',
  ['OnFailureDestinationDeliveredEventCount', 'DroppedEventCount'],
]

it('dashboards and alarms look at metrics of ours that functions write, by name and dimensions', () => {
  const wanted = metricsOf(made.templates['lanner-operations']!)
  expect(unwritten(wanted, emitted)).toEqual([])
  const own = new Set(wanted.filter(({ namespace }) => namespace === 'Lanner').map(nameOf))
  expect(own.size).toBeGreaterThan(50)
  // each of them is missed when it is not written any more
  for (const { name } of wanted.filter(({ namespace }) => namespace === 'Lanner')) {
    const without = new Set([...emitted].filter((one) => one.split(' ')[1] !== name))
    expect(unwritten(wanted, without).length, name).toBeGreaterThan(0)
  }
})

it('and at metrics of AWS about resources that there are', () => {
  const templates = Object.values(made.templates)
  const nameProperties = ['FunctionName', 'QueueName', 'Name', 'DeliveryStreamName']
  const namesOf = (type: string) =>
    templates.flatMap((template) =>
      ofType(template, type).flatMap(([id, { Properties }]) => [
        ...nameProperties.flatMap((key) => Properties[key] ?? []),
        id,
      ]),
    )
  const exported = templates.flatMap(({ Outputs = {} }) =>
    Object.values(Outputs as Record<string, { Value: unknown; Export?: { Name: unknown } }>),
  )
  const known = (type: string, value: string) => {
    const [, imported] = /^<(.*)>$/.exec(value) ?? []
    const output = exported.find(({ Export }) => flat(Export?.Name) === imported)
    const name = output === undefined ? value : flat(output.Value).replaceAll(/[<>]/g, '')
    return namesOf(type).includes(name)
  }
  const wanted = metricsOf(made.templates['lanner-operations']!)
  for (const one of wanted.filter(({ namespace }) => namespace !== 'Lanner')) {
    const isOfMapping = Object.hasOwn(one.dimensions, 'EventSourceMappingUUID')
    const [dimension, type, names] = isOfMapping ? ofMappings : ofAws[one.namespace]!
    expect(names, nameOf(one)).toContain(one.name)
    expect(Object.keys(one.dimensions), nameOf(one)).toEqual([dimension])
    expect(known(type, one.dimensions[dimension]!), nameOf(one)).toBe(true)
  }
})

it('tactics and clusters of detections, and the state of a response, are what they should be', () => {
  const split = [...emitted].filter((one) => /(tactic|cluster|state)=/.test(one)).sort()
  expect(split).toEqual([
    'Lanner Detections cluster=other',
    `Lanner Detections cluster=${cluster}`,
    'Lanner Detections tactic=credential_access',
    'Lanner Detections tactic=impact',
    // that of the cluster that nobody knows; that of what the fleet's nodes did, which names no pod
    'Lanner Responses state=failed',
    'Lanner Responses state=observed',
  ])
})
