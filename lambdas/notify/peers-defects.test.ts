import { expect, it } from 'vitest'
import { sampleDetection, sampleMessage } from '#testing/destinations/sample-messages.ts'
import { priorityNames } from '../../rules/engine/index.ts'
import { createTextRedactor } from '../../rules/redact/index.ts'
import type { Incident } from '../shared/incident.ts'
import { labelsOf } from './alertmanager/build-alerts.ts'
import { makeNotice } from './content/index.ts'
import { buildAlert } from './falcosidekick/build-alert.ts'
import { buildTrigger } from './pagerduty/build-event.ts'
import { buildFinding } from './security-hub/build-finding.ts'
import { buildMessage } from './slack/build-message.ts'
import { buildPublish } from './sns/build-publish.ts'

// What others got wrong at the same task: each must stay right here.

const context = { redactor: createTextRedactor([]), runbooks: {}, links: {} }
const noticeOf = (over: Partial<Incident> = {}, detection = sampleDetection()) =>
  makeNotice({ about: 'incident', message: sampleMessage(over, 'opened', detection) }, context)

it('the more severe a message in chat, the redder it is', () => {
  const reds = priorityNames.map((priority) => {
    const { color } = buildMessage(noticeOf({ priority })).attachments[0]!
    const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))
    return red! - (green! + blue!) / 2
  })
  expect(reds).toEqual(reds.toSorted((a, b) => b - a))
  expect(new Set(reds).size).toBeGreaterThanOrEqual(5)
})

it('numbers among the fields are told, in chat and to Falcosidekick', () => {
  const detection = sampleDetection({
    output: '1: Critical x uid=4242',
    output_fields: { 'user.uid': 4242 },
  })
  expect(JSON.stringify(buildMessage(noticeOf({}, detection)))).toContain('uid=4242')
  expect(buildAlert(noticeOf({}, detection))!.output_fields).toMatchObject({ 'user.uid': 4242 })
})

it('severities of PagerDuty follow the priority', () => {
  const severities = priorityNames.map(
    (priority) => buildTrigger(noticeOf({ priority }), 'key').payload!.severity,
  )
  expect(severities).toEqual([
    ...['critical', 'critical', 'critical', 'error', 'warning', 'info', 'info', 'info'],
  ])
})

it('labels of Alertmanager are those of the incident, whatever its detections are', () => {
  const labels = (pid: number, count: number) => {
    const cmdline = `bash -c ${pid}`
    const detection = sampleDetection({ output: cmdline, output_fields: { 'proc.pid': pid } })
    const lineage = [{ pid, name: 'bash', exe: '/bin/bash' }]
    return labelsOf(noticeOf({ count, revision: count, lineage }, detection), 'team')
  }
  expect(labels(1, 1)).toEqual(labels(99, 50))
  expect(Object.keys(labels(1, 1)).length).toBeLessThanOrEqual(11)
})

it('attributes of SNS are eight at most, tactics a list', () => {
  const { MessageAttributes = {}, Subject = '' } = buildPublish(noticeOf(), 'arn:aws:sns:x:1:t')
  expect(Object.keys(MessageAttributes).length).toBeLessThanOrEqual(8)
  expect(MessageAttributes['tactic']).toEqual({
    ...{ DataType: 'String.Array', StringValue: '["execution"]' },
  })
  expect(Subject.length).toBeLessThanOrEqual(100)
  expect(Subject).toMatch(/^[\x20-\x7e]+$/)
})

it('times keep their date: none is the second of its minute', () => {
  const { FirstObservedAt } = buildFinding(
    noticeOf({ first: '2026-11-26T18:20:59.999999999Z' }),
    { partition: 'aws', region: 'x', account: '123456789012' },
    0,
  )
  expect(FirstObservedAt).toBe('2026-11-26T18:20:59.999Z')
})
