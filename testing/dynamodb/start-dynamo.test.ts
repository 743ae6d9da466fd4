import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { testCredentials } from '../aws/faults.ts'
import { noFaults } from './faults.ts'
import { startDynamo, type TestDynamo } from './start-dynamo.ts'

let dynamo: TestDynamo
let client: DynamoDBClient
const table = 'items'

beforeAll(async () => {
  dynamo = await startDynamo()
  await dynamo.createTable(table)
  client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: dynamo.endpoint,
    credentials: testCredentials,
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
  })
})
afterAll(async () => {
  client.destroy()
  await dynamo.stop()
})
afterEach(() => {
  Object.assign(dynamo.faults, noFaults)
})

const key = (pk: string) => ({ pk: { S: pk }, sk: { S: '.' } })
const put = (pk: string, text = '', more = {}) =>
  client.send(
    new PutItemCommand({ TableName: table, Item: { ...key(pk), text: { S: text } }, ...more }),
  )
const stored = async (pk: string) =>
  (await dynamo.client.send(new GetItemCommand({ TableName: table, Key: key(pk) }))).Item?.['text']
    ?.S
/** What a call adds to the counts. */
const counted = async (call: () => Promise<unknown>) => {
  const before = { ...dynamo.counts }
  await call()
  return (name: keyof typeof before) => dynamo.counts[name] - before[name]
}

describe('the DynamoDB of the tests', () => {
  it('throttles the requests it is told to, in both ways the service has', async () => {
    dynamo.faults.throttle = ({ operation, body }) =>
      operation !== 'PutItem'
        ? undefined
        : body.includes('account')
          ? 'ThrottlingException'
          : 'ProvisionedThroughputExceededException'
    await expect(put('table')).rejects.toMatchObject({
      name: 'ProvisionedThroughputExceededException',
    })
    await expect(put('account')).rejects.toMatchObject({ name: 'ThrottlingException' })
    expect(await stored('table')).toBeUndefined()
    expect(dynamo.counts.throttled).toBe(2)
  })

  it('drops a connection before the request is served, or after', async () => {
    dynamo.faults.drop = 'before'
    await expect(put('before', 'x')).rejects.toThrow()
    dynamo.faults.drop = ({ body }) => (body.includes('after') ? 'after' : undefined)
    await expect(put('after', 'x')).rejects.toThrow()
    await put('other', 'x')
    expect(await stored('before')).toBeUndefined()
    expect(await stored('after')).toBe('x')
    expect(dynamo.counts.dropped).toBe(2)
  })

  it('leaves keys of a batch unprocessed, and throttles a batch of which nothing is left', async () => {
    await put('a', 'a')
    await put('b', 'b')
    dynamo.faults.unprocessed = ({ pk }) => pk?.['S'] === 'b'
    const get = (...keys: string[]) =>
      client.send(new BatchGetItemCommand({ RequestItems: { [table]: { Keys: keys.map(key) } } }))
    const { Responses, UnprocessedKeys } = await get('a', 'b')
    expect(Responses?.[table]?.map(({ text }) => text?.S)).toEqual(['a'])
    expect(UnprocessedKeys?.[table]?.Keys).toEqual([key('b')])
    await expect(get('b')).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' })

    const remove = ['a', 'b'].map((pk) => ({ DeleteRequest: { Key: key(pk) } }))
    const { UnprocessedItems } = await client.send(
      new BatchWriteItemCommand({ RequestItems: { [table]: remove } }),
    )
    expect(UnprocessedItems).toEqual({ [table]: [remove[1]] })
    expect([await stored('a'), await stored('b')]).toEqual([undefined, 'b'])
  })

  it('counts the write units as they are billed, of refused writes too', async () => {
    const small = await counted(() => put('units', 'x'))
    expect([small('requests'), small('writeUnits')]).toEqual([1, 1])
    const large = await counted(() => put('units', 'x'.repeat(2500)))
    expect(large('writeUnits')).toBe(3)
    const refused = await counted(() =>
      expect(
        put('units', 'x'.repeat(1500), {
          ConditionExpression: 'attribute_not_exists(pk)',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      ).rejects.toMatchObject({ name: 'ConditionalCheckFailedException', Item: key('units') }),
    )
    expect(refused('writeUnits')).toBe(3)
  })

  it('is unavailable for a while, and comes back at the same address with what it had', async () => {
    await put('kept', 'x')
    dynamo.faults.error = { status: 500, code: 'InternalServerError' }
    await expect(put('kept', 'y')).rejects.toMatchObject({ name: 'InternalServerError' })
    dynamo.faults.error = undefined
    await dynamo.refuse()
    await expect(put('kept', 'y')).rejects.toThrow(/ECONNREFUSED|ECONNRESET|hang up/)
    await dynamo.accept()
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: key('kept') }))
    expect(Item?.['text']).toEqual({ S: 'x' })
  })
})
