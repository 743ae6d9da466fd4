import { alertmanager, pagerDuty } from './alerting.ts'
import { securityHub, sns } from './aws.ts'
import type { CaseMaker } from './case.ts'
import { falcosidekick, webhook } from './receivers.ts'
import { slackBot, slackWebhook } from './slack.ts'
import { github, jira } from './tickets.ts'

export type { Case, CaseMaker, Seen } from './case.ts'

/** Every kind of destination against a server that keeps the vendor's documented limits. */
export const cases: readonly CaseMaker[] = [
  ...[sns, slackBot, slackWebhook, alertmanager, pagerDuty, jira, github, securityHub],
  ...[webhook, falcosidekick],
]
