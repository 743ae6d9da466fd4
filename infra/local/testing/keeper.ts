/** A stage in small: what comes from a queue, a bus, a schedule or Firehose is counted in the table. */
import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'

interface AnyEvent {
  readonly Records?: readonly { readonly messageId: string; readonly body: string }[]
  readonly records?: readonly { readonly recordId: string; readonly data: string }[]
  readonly 'detail-type'?: string
  readonly detail?: { readonly text?: string }
  readonly once?: string
}

const dynamodb = new DynamoDBClient()
const secrets = new SecretsManagerClient()

async function count(what: string): Promise<void> {
  const Key = { pk: { S: what }, sk: { S: '.' } }
  const ExpressionAttributeValues = { ':one': { N: '1' } }
  const UpdateExpression = 'ADD times :one'
  const TableName = process.env['TABLE']
  await dynamodb.send(
    new UpdateItemCommand({ TableName, Key, UpdateExpression, ExpressionAttributeValues }),
  )
}

export async function handler(event: AnyEvent): Promise<unknown> {
  if (event.records !== undefined) {
    const records = event.records.map(({ recordId, data }) => {
      const text = Buffer.from(data, 'base64').toString()
      const result = text.startsWith('bad') ? 'ProcessingFailed' : 'Ok'
      return { recordId, result, data: Buffer.from(`${text}\n`).toString('base64') }
    })
    return { records }
  }
  if (event.Records !== undefined) {
    const batchItemFailures: { itemIdentifier: string }[] = []
    for (const { messageId, body } of event.Records) {
      const { detail } = JSON.parse(body) as AnyEvent
      await count(`queue ${detail?.text}`)
      if (detail?.text?.includes('refused')) batchItemFailures.push({ itemIdentifier: messageId })
    }
    return { batchItemFailures }
  }
  await count(`async ${event.once ?? event.detail?.text ?? event['detail-type']}`)
  if (event.detail?.text?.includes('refused') === true) throw new Error('it is refused')
  const SecretId = process.env['SECRET']
  if (event.once !== 'secret') return null
  return (await secrets.send(new GetSecretValueCommand({ SecretId }))).SecretString
}
