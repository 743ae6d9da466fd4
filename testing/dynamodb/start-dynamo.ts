import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { createTable, startDynamoEmulator } from '../../infra/local/emulators/dynamo.ts'
import { close, listen } from '../../infra/local/emulators/listen.ts'
import { testCredentials } from '../aws/faults.ts'
import { createDynamoProxy } from './dynamo-proxy.ts'
import { type Counts, type Faults, noFaults } from './faults.ts'

/** A DynamoDB beside this process that can be made to fail. */
export interface TestDynamo {
  /** For clients under test: through the faults. Any region and credentials do. */
  readonly endpoint: string
  readonly faults: Faults
  readonly counts: Counts
  /** A table with the string keys `pk` and `sk` whose items live until `expires`. */
  createTable(name: string): Promise<void>
  /** A client that goes past the faults and the counts. */
  readonly client: DynamoDBClient
  /** Refuses connections, and breaks those there are, until {@link accept}. */
  refuse(): Promise<void>
  accept(): Promise<void>
  stop(): Promise<void>
}

/** Starts the emulator, in memory and without faults, on a free port. */
export async function startDynamo(): Promise<TestDynamo> {
  const emulator = await startDynamoEmulator()
  const target = emulator.endpoint
  const client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: target,
    credentials: testCredentials,
    requestHandler: new NodeHttpHandler(),
  })
  const faults: Faults = { ...noFaults }
  const counts: Counts = {
    ...{ requests: 0, failed: 0, dropped: 0, throttled: 0 },
    ...{ unprocessed: 0, writeUnits: 0, readUnits: 0 },
  }
  const proxy = createDynamoProxy({ target, faults, counts })
  const port = await listen(proxy)
  return {
    endpoint: `http://127.0.0.1:${port}`,
    faults,
    counts,
    client,
    createTable: (name) => createTable(client, name),
    refuse: () => close(proxy),
    async accept() {
      await listen(proxy, port)
    },
    async stop() {
      client.destroy()
      await close(proxy)
      await emulator.stop()
    },
  }
}
