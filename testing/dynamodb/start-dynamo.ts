import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { testCredentials } from '../aws/faults.ts'
import { close, listen } from '../aws/listen.ts'
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
  const { child, target } = await startEmulator()
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
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** The binary takes no port 0: another process may take the port found, and it is tried again. */
async function startEmulator(): Promise<{ child: ChildProcess; target: string }> {
  const package_ = createRequire(import.meta.url).resolve('@dynoxide/linux-x64/package.json')
  let said = ''
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const port = await freePort()
    const child = spawn(join(dirname(package_), 'dynoxide'), ['--port', `${port}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    // An emulator does not outlive the tests that forgot to stop it.
    const end = () => child.kill('SIGKILL')
    process.once('exit', end)
    child.once('exit', () => process.off('exit', end))
    const isUp = await new Promise<boolean>((resolve) => {
      const hear = (piece: Buffer) => {
        said += piece
        if (said.includes(`listening on http://127.0.0.1:${port}`)) resolve(true)
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.once('exit', () => resolve(false))
    })
    if (isUp) return { child, target: `http://127.0.0.1:${port}` }
  }
  throw new Error(`the DynamoDB emulator does not start: ${said}`)
}

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  await close(server)
  return port
}

async function createTable(client: DynamoDBClient, TableName: string): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  )
  for (;;) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName }))
    if (Table?.TableStatus === 'ACTIVE') break
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const TimeToLiveSpecification = { AttributeName: 'expires', Enabled: true }
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }))
}
