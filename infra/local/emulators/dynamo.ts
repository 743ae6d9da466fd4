import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import {
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import type { Emulator } from './kinesis.ts'
import { close, listen } from './listen.ts'

/** DynamoDB in a process of its own, all of it in memory. Items that have expired stay. */
export async function startDynamoEmulator(): Promise<Emulator> {
  const { child, endpoint } = await startProcess()
  return {
    endpoint,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** The binary takes no port 0: another process may take the port found, and it is tried again. */
async function startProcess(): Promise<{ child: ChildProcess; endpoint: string }> {
  const package_ = createRequire(import.meta.url).resolve('@dynoxide/linux-x64/package.json')
  let said = ''
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const port = await freePort()
    const child = spawn(join(dirname(package_), 'dynoxide'), ['--port', `${port}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    // It does not outlive those that forgot to stop it.
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
    if (isUp) return { child, endpoint: `http://127.0.0.1:${port}` }
  }
  throw new Error(`the DynamoDB emulator does not start: ${said}`)
}

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  await close(server)
  return port
}

/** A table with the string keys `pk` and `sk` whose items live until `expires`. */
export async function createTable(client: DynamoDBClient, TableName: string): Promise<void> {
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
