import { tellGithub } from '../notify/github/tell-github.ts'
import { notifyHandler } from '../notify/notify-handler.ts'
import { contract } from './contract.ts'

/** From the queue of its kind, with `ReportBatchItemFailures`. */
export const handler = notifyHandler(contract, tellGithub)
