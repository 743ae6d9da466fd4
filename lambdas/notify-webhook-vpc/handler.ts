import { notifyHandler } from '../notify/notify-handler.ts'
import { tellWebhook } from '../notify/webhook/tell-webhook.ts'
import { contract } from './contract.ts'

/** From the queue of its kind, with `ReportBatchItemFailures`. */
export const handler = notifyHandler(contract, tellWebhook)
