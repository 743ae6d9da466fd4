import { SecurityHubClient } from '@aws-sdk/client-securityhub'
import { notifyHandler } from '../notify/notify-handler.ts'
import { tellSecurityHub } from '../notify/security-hub/tell-security-hub.ts'
import { readEnv } from '../shared/contract.ts'
import { contract } from './contract.ts'

const env: Readonly<Record<string, string>> = readEnv(contract, process.env)
// arn:PARTITION:securityhub:REGION:ACCOUNT:product/ACCOUNT/default
const [, partition = '', , region = '', account = ''] = env['PRODUCT']!.split(':')

/** From the queue of its kind, with `ReportBatchItemFailures`. */
export const handler = notifyHandler(
  contract,
  // the delivery path repeats by itself, and knows when
  tellSecurityHub(new SecurityHubClient({ maxAttempts: 1 }), { partition, region, account }),
)
