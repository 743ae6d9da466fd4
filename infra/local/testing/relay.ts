/** A stage in small: records of a stream into the table and onto the bus, unless a record says otherwise. */
import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import type { KinesisEvent } from '../kinesis-event.ts'

const dynamodb = new DynamoDBClient()
const eventbridge = new EventBridgeClient()

async function relay(text: string): Promise<void> {
  if (text === 'poison') throw new Error('it cannot be read')
  if (text === 'exit') process.exit(3)
  while (text === 'hang');
  await dynamodb.send(
    new UpdateItemCommand({
      TableName: process.env['TABLE'],
      Key: { pk: { S: text }, sk: { S: '.' } },
      UpdateExpression: 'ADD times :one',
      ExpressionAttributeValues: { ':one': { N: '1' } },
    }),
  )
  const Detail = JSON.stringify({ text })
  const EventBusName = process.env['BUS']
  const DetailType = text.split(' ')[0]
  await eventbridge.send(
    new PutEventsCommand({ Entries: [{ Source: 'lanner', DetailType, Detail, EventBusName }] }),
  )
}

export async function handler({ Records }: KinesisEvent): Promise<unknown> {
  console.log(JSON.stringify({ records: Records.length }))
  for (const { kinesis } of Records) {
    try {
      await relay(Buffer.from(kinesis.data, 'base64').toString())
    } catch {
      return { batchItemFailures: [{ itemIdentifier: kinesis.sequenceNumber }] }
    }
  }
  return { batchItemFailures: [] }
}
