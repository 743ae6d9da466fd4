import { SNSClient } from '@aws-sdk/client-sns'
import { notifyHandler } from '../notify/notify-handler.ts'
import { tellSns } from '../notify/sns/tell-sns.ts'
import { contract } from './contract.ts'

// the delivery path repeats by itself, and knows when
const client = new SNSClient({ maxAttempts: 1 })

/** From the queue of its kind, with `ReportBatchItemFailures`. */
export const handler = notifyHandler(contract, tellSns(client, process.env['TOPIC']))
