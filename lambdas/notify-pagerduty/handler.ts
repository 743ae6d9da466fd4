import { notifyHandler } from '../notify/notify-handler.ts'
import { tellPagerDuty } from '../notify/pagerduty/tell-pagerduty.ts'
import { contract } from './contract.ts'

/** From the queue of its kind, with `ReportBatchItemFailures`. */
export const handler = notifyHandler(contract, tellPagerDuty)
