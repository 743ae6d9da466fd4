import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  sampleDetection,
  sampleIncident,
  sampleMessage,
  sampleRunbook,
} from '#testing/destinations/sample-messages.ts'
import { createTextRedactor } from '../../../rules/redact/index.ts'
import { makeNotice, severityOf, textOf } from './index.ts'
import { machineForm } from './machine-form.ts'
import { clip, clipBytes, shellWord, visible } from './plain-text.ts'
import { redactMessage } from './redact-message.ts'
import { stepsOf } from './runbook-steps.ts'
import { techniquesOf } from './techniques.ts'

const redactor = createTextRedactor(['ACME-[0-9]+'])
const context = { redactor, runbooks: { 'reverse-shell': sampleRunbook }, links: {} }

describe('text', () => {
  it('hides nothing: controls, directions and invisible signs are shown by number', () => {
    expect(visible('a\u001b[31mb\u202ec\u200bd\ne')).toBe('a\\x1b[31mb\\u{202e}c\\u{200b}d e')
  })

  it('is cut to what there is room for, and never within a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 3, max: 50 }), (text, most) => {
        const whole = text.toWellFormed()
        expect(clip(whole, most).length).toBeLessThanOrEqual(most)
        expect(clip(whole, most).isWellFormed()).toBe(true)
        expect(Buffer.byteLength(clipBytes(whole, most))).toBeLessThanOrEqual(most)
      }),
    )
  })

  it('in a command is one word, or none', () => {
    expect(shellWord('api-7d9f')).toBe('api-7d9f')
    expect(shellWord("a'; rm -rf /; '")).toBe(`'a'\\''; rm -rf /; '\\'''`)
    for (const text of ['', '-rf', 'a\nb', 'a\u202eb', 'x'.repeat(300)]) {
      expect(shellWord(text)).toBeUndefined()
    }
  })
})

describe('steps of a runbook', () => {
  it('have the values of the incident in their commands', () => {
    const values = { namespace: 'payments', pod: '$(reboot)', container: 'api' }
    const steps = stepsOf(sampleRunbook, values)
    expect(steps.map(({ commands }) => commands)).toEqual([
      [`kubectl -n payments get pod '$(reboot)' -o wide`],
      [`kubectl -n payments exec '$(reboot)' -c api -- ss -tnp`],
      // the workload is not known
      [],
    ])
    expect(steps.map(({ text }) => text)).toEqual([
      'See what it is',
      'Who is the peer? Block it.',
      'Contain first, then look at how it started',
    ])
  })

  it('are none where the runbook has none, whatever it holds', () => {
    expect(stepsOf('# x\n\nno steps', {})).toEqual([])
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(Array.isArray(stepsOf(`## First steps\n1. ${text}`, {}))).toBe(true)
      }),
    )
  })
})

describe('redaction of a message', () => {
  it('takes values of the environment from fields, and from the output that repeats them', () => {
    const env = 'HOME=/root STRIPE=sk_abc TERM=x'
    const detection = sampleDetection({
      output: `Shell opened | env=${env} badge=ACME-17`,
      output_fields: { 'proc.env': env, 'evt.arg.password': 'open sesame', 'proc.name': 'bash' },
    })
    const { detection: shown } = redactMessage(sampleMessage({}, 'opened', detection), redactor)
    const hidden = 'HOME=[redacted] STRIPE=[redacted] TERM=[redacted]'
    expect(shown!.output).toBe(`Shell opened | env=${hidden} badge=[redacted]`)
    expect(shown!.output_fields).toEqual({
      ...{ 'proc.env': hidden, 'evt.arg.password': '[redacted]', 'proc.name': 'bash' },
    })
  })

  it('does not show half of a secret that lies where a long text is cut', () => {
    for (let shift = 0; shift < 40; shift += 3) {
      const text = `${'a'.repeat((16 << 10) - 20 - shift)} --token=hunter2hunter2hunter2`
      const shown = redactMessage({ text }, redactor)
      expect(JSON.stringify(shown)).not.toContain('hunter2')
    }
  })

  it('changes nothing else: ids, numbers, the shape', () => {
    const message = sampleMessage()
    expect(redactMessage(message, redactor)).toEqual(message)
  })
})

describe('a notice', () => {
  it('says all there is in text, and nothing twice over', () => {
    const text = textOf(makeNotice({ about: 'incident', message: sampleMessage() }, context))
    for (const part of [
      ...['[CRITICAL]', 'payments', 'Deployment/api', 'registry.example/api:1.2', '└─ bash'],
      ...['T1059.004 Command and Scripting Interpreter', 'Who is the peer?', 'Complete.'],
    ]) {
      expect(text).toContain(part)
    }
  })

  it('does without everything that may be missing', () => {
    const bare = sampleIncident()
    const { pod: _, container: __, lineage: ___, account: ____, ...rest } = bare
    const incident = { ...rest, node: '', rules: {}, tags: [], runbooks: ['gone'] }
    const members = { first: [], last: [] }
    const message = { id: 'm', incident: { ...incident, members }, reason: 'opened' as const }
    const notice = makeNotice({ about: 'incident', message }, context)
    expect(notice.sentence).toMatch(/on several nodes, cluster prod-eu/)
    expect(notice.steps).toEqual([])
    expect(textOf(notice)).not.toContain('undefined')
  })

  it('has the runbook of the rule that it is named after', () => {
    const runbooks = { other: '## What it means\nOther.\n', own: '## What it means\nOwn.\n' }
    const message = sampleMessage({ runbooks: ['other', 'own'], cluster: '' }, 'opened')
    const runbookOf = { [message.incident.title]: 'own' }
    const notice = makeNotice({ about: 'incident', message }, { ...context, runbooks, runbookOf })
    expect(notice.meaning).toBe('Own.')
    expect(notice.sentence).not.toMatch(/cluster|undefined/)
  })

  it('fits for machines into whatever there is room for', () => {
    const notice = makeNotice({ about: 'incident', message: sampleMessage() }, context)
    for (const most of [200_000, 6000, 4000, 2500, 1800]) {
      const text = machineForm(notice, most)
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(most)
      expect(JSON.parse(text)).toMatchObject({ subject: notice.subject, severity: 'critical' })
    }
    expect(() => machineForm(notice, 100)).toThrow(RangeError)
  })

  it('gets no milder as the priority rises', () => {
    const order = ['critical', 'high', 'medium', 'low', 'info']
    const found = Array.from({ length: 8 }, (_, priority) => order.indexOf(severityOf(priority)))
    expect(found).toEqual(found.toSorted((a, b) => a - b))
  })
})

it('every technique that a rule of ours names is known by name', () => {
  const library = fileURLToPath(new URL('../../../rules/library/', import.meta.url))
  const tags = readdirSync(library)
    .filter((name) => name.endsWith('.yaml'))
    .flatMap(
      (name) => readFileSync(`${library}${name}`, 'utf8').match(/\bT\d{4}(?:\.\d{3})?\b/g) ?? [],
    )
  expect(tags.length).toBeGreaterThan(10)
  expect(techniquesOf(tags).filter(({ id, name }) => id === name)).toEqual([])
})
