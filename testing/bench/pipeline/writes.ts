import { Evaluate } from '../../../lambdas/evaluate/evaluate.ts'
import { prepareSet } from '../../../lambdas/evaluate/prepare-set.ts'
import { DynamoStateStore } from '../../../lambdas/shared/dynamo-store.ts'
import { testCredentials } from '../../aws/faults.ts'
import { startDynamo } from '../../dynamodb/start-dynamo.ts'
import { FleetNode } from '../../pipeline/fleet.ts'
import { libraryArtefact, published, recordOf } from '../../pipeline/records.ts'
import type { Table } from '../figures.ts'

const nodes = 50
const eventsABatch = 500
const seconds = 40
const shares = [0.0001, 0.001, 0.01]

/** What a million events write into DynamoDB, by how many of them match. */
export async function writes(): Promise<Table[]> {
  const rows: string[][] = []
  for (const share of shares) rows.push(await measure(share))
  return [
    {
      title: 'State of a million shipped events',
      note:
        `${nodes} nodes, a batch of ${eventsABatch} events each second, one invocation a second; matches spread ` +
        'over five pods a node, library rules and correlations. Units as DynamoDB bills them.',
      columns: [
        'match',
        'detections',
        'write units',
        'read units',
        'requests',
        'messages',
        'incidents',
      ],
      rows,
    },
  ]
}

async function measure(share: number): Promise<string[]> {
  const dynamo = await startDynamo()
  try {
    await dynamo.createTable('state')
    const store = new DynamoStateStore({
      ...{ table: 'state', endpoint: dynamo.endpoint, region: 'us-east-1' },
      credentials: testCredentials,
    })
    const artefact = libraryArtefact()
    const set = prepareSet(artefact, published(artefact).hash)
    let messages = 0
    let now = 1_800_000_000_000
    const evaluate = new Evaluate({
      ...{ store, sets: { of: async () => set }, quiet: 900 },
      senders: {
        judge: async (records) => records.map(() => ({ sender: 'verified', findings: [] })),
      },
      nodes: { take: async () => ({ findings: [], health: [], gapsOf: () => [] }) },
      bus: {
        put: async (all) => {
          messages += all.length
        },
      },
      ...{ toLake: async () => {}, isolate: async () => {}, now: () => now },
      ...{ random: Math.random, pause: async () => {} },
    })
    const fleet = Array.from({ length: nodes }, (_, at) => new FleetNode(`node-${at}`))
    const before = { ...dynamo.counts }
    let detections = 0
    let incidents = 0
    let owed = 0
    for (let second = 0; second < seconds; second++) {
      const Records = fleet.map((node) => {
        owed += eventsABatch * share
        const matching = Math.floor(owed)
        owed -= matching
        const time = BigInt(now) * 1_000_000n
        return recordOf(node.batch(time, eventsABatch, matching), { arrivedAt: now })
      })
      const { figures } = await evaluate.run({ Records })
      detections += figures.detections
      incidents += figures.incidents
      now += 1000
    }
    const { writeUnits, readUnits, requests } = dynamo.counts
    store.close()
    return [
      `${share * 100} %`,
      ...[
        detections,
        writeUnits - before.writeUnits,
        readUnits - before.readUnits,
        requests - before.requests,
        messages,
        incidents,
      ].map((count) => Math.round(count).toLocaleString('en')),
    ]
  } finally {
    await dynamo.stop()
  }
}
