import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  sampleAwaiting,
  sampleClosed,
  sampleDelivery,
  sampleDetection,
  sampleHealth,
  sampleMessage,
  sampleResponse,
  sampleRunbook,
  sampleUnenforced,
} from '#testing/destinations/sample-messages.ts'
import { createTextRedactor } from '../../rules/redact/index.ts'
import type { Told } from '../shared/route-subject.ts'
import { buildAlert as buildBurning, labelsOf } from './alertmanager/build-alerts.ts'
import { responseAlert } from './alertmanager/tell-alertmanager.ts'
import { makeNotice, type Notice, textOf } from './content/index.ts'
import { buildAlert } from './falcosidekick/build-alert.ts'
import { buildComment as githubComment, buildIssue as githubIssue } from './github/build-issue.ts'
import { buildComment as jiraComment, buildIssue as jiraIssue } from './jira/build-issue.ts'
import { buildResolve, buildTrigger } from './pagerduty/build-event.ts'
import { buildFinding } from './security-hub/build-finding.ts'
import { buildMessage, buildReply } from './slack/build-message.ts'
import { buildPublish } from './sns/build-publish.ts'
import { buildEvent, signEvent } from './webhook/build-event.ts'

const now = Date.parse('2026-11-26T18:20:05Z')
const context = {
  redactor: createTextRedactor([]),
  runbooks: { 'reverse-shell': sampleRunbook },
  links: { 'Open in Lanner': 'https://lanner.example/incidents/{incident}' },
}
const place = { partition: 'aws', region: 'eu-central-1', account: '123456789012' }

const messages: Readonly<Record<string, Told>> = {
  opened: { about: 'incident', message: sampleMessage() },
  escalated: {
    about: 'incident',
    message: sampleMessage(
      {
        ...{ revision: 2, priority: 'Emergency', count: 41 },
        evidence: { complete: false, gaps: ['node-1: 12 events, ring buffer full'] },
      },
      'escalated',
      sampleDetection({ rule: 'Crypto miner', priority: 'Emergency' }),
    ),
  },
  closed: { about: 'incident', message: sampleClosed() },
  health: { about: 'health', message: sampleHealth },
  delivery: { about: 'delivery', message: sampleDelivery },
  'response-awaiting': { about: 'response', news: 'awaiting', message: sampleAwaiting },
  'response-done': { about: 'response', news: 'done', message: sampleResponse(2) },
  'response-failed': {
    ...{ about: 'response', news: 'failed' },
    message: sampleResponse(3, { text: 'Cut the pod off: 403 pods "api" is forbidden' }),
  },
  'response-unenforced': { about: 'response', news: 'verified', message: sampleUnenforced },
}

const builders: Readonly<Record<string, (notice: Notice) => unknown>> = {
  text: (notice) => textOf(notice).split('\n'),
  slack: (notice) => ({ message: buildMessage(notice), reply: buildReply(notice) }),
  alertmanager: (notice) =>
    notice.about === 'response'
      ? responseAlert(notice, labelsOf(notice, 'team'), now)
      : buildBurning(notice, labelsOf(notice, 'team'), notice.state === 'open', {
          ...{ now, holdMs: 600_000 },
        }),
  pagerduty: (notice) => {
    const key = 'R0UT1NGKEY'
    return notice.state === 'open' ? buildTrigger(notice, key) : buildResolve(notice, key)
  },
  jira: (notice) => ({ issue: jiraIssue(notice, 'SEC', 'Task'), comment: jiraComment(notice) }),
  github: (notice) => ({ issue: githubIssue(notice), comment: githubComment(notice) }),
  'security-hub': (notice) => buildFinding(notice, place, now),
  sns: (notice) => {
    const { Message = '', ...rest } = buildPublish(notice, 'arn:aws:sns:eu-central-1:1:lanner')
    const { default: machines, ...texts } = JSON.parse(Message) as { default: string }
    return { ...rest, message: { ...texts, default: JSON.parse(machines) } }
  },
  webhook: (notice) => {
    const { headers } = signEvent(notice, 'a key', now)
    return { headers, body: JSON.parse(buildEvent(notice)) }
  },
  falcosidekick: (notice) => buildAlert(notice) ?? null,
}

/** `LANNER_GOLDEN=write` writes them anew: look at what changed. */
const writes = process.env['LANNER_GOLDEN'] === 'write'

describe.each(Object.keys(builders))('%s', (kind) => {
  it.each(Object.keys(messages))('%s', (name) => {
    const built = builders[kind]!(makeNotice(messages[name]!, context))
    const plain = JSON.parse(JSON.stringify(built)) as unknown
    const path = fileURLToPath(new URL(`golden/${kind}.${name}.json`, import.meta.url))
    if (writes) writeFileSync(path, `${JSON.stringify(plain, null, 2)}\n`)
    expect(plain).toEqual(JSON.parse(readFileSync(path, 'utf8')))
  })
})
