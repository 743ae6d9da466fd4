import { notifyHandler } from '../notify/notify-handler.ts'
import { tellSlack } from '../notify/slack/tell-slack.ts'
import { contract } from './contract.ts'

/** From the queue of its kind, with `ReportBatchItemFailures`. */
export const handler = notifyHandler(contract, tellSlack)
