import { readFileSync } from 'node:fs'
import { readResponses } from '#responses'
import { durationText } from './correlation-text.ts'
import { type Io, paint, UsageError } from './io.ts'
import { jsonIn } from './json-file.ts'
import { printable } from './printable.ts'
import { type Question, questionsIn } from './responses/incident-messages.ts'
import { type Answers, type RuleAnswer, whatAnswers } from './responses/what-answers.ts'
import { parseStrictly } from './rule-options.ts'
import { inColor } from './rules-check.ts'

export const usage = `usage: lanner responses test --responses FILE EVENTS... [OPTION]...

Shows what would answer a detection or an incident, how far it may go there and what it would do, and why
other rules do not answer. EVENTS are files with one JSON text or one a line: events of the bus, incidents,
detections (as \`lanner incident ID --json\` prints both), or alerts of Falco. Nothing is asked of a cluster:
what is up to it (other replicas, budgets, siblings, what the API server takes) is in the plan.

  --responses FILE          the policy; may be repeated
  --cluster NAME            the cluster, in place of the one that the event names
  --namespace NAME          the namespace, likewise
  --json                    one object an event, for machines`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseStrictly(args, {
    responses: { type: 'string', multiple: true },
    cluster: { type: 'string' },
    namespace: { type: 'string' },
    json: { type: 'boolean' },
  })
  const { responses = [], json = false, cluster, namespace } = values
  if (responses.length === 0) throw new UsageError('--responses FILE is needed')
  if (positionals.length === 0) throw new UsageError('which events?')
  const { ok, policy, files } = readResponses(
    responses.map((name) => ({ name, text: textOf(name) })),
  )
  for (const { diagnostics } of files) {
    for (const diagnostic of diagnostics) {
      if (!ok && diagnostic.severity === 'error') io.err(`${inColor(diagnostic, io)}\n\n`)
    }
  }
  if (!ok) return 1
  const given = {
    ...(cluster !== undefined && { cluster }),
    ...(namespace !== undefined && { namespace }),
  }
  let areRead = true
  for (const path of positionals) {
    for (const { value, place } of jsonIn(textOf(path), path)) {
      const questions = questionsIn(value, given)
      if (questions === undefined) {
        io.err(`${place}: it is no event of the bus, incident, detection or alert\n`)
        areRead = false
        continue
      }
      for (const asked of questions) {
        const question = moved(asked, given)
        const answers = whatAnswers(policy, question.message)
        if (json) io.out(`${JSON.stringify({ event: place, ...summary(question), ...answers })}\n`)
        else show(place, question, answers, io)
      }
    }
  }
  return areRead ? 0 : 1
}

/** Elsewhere than it says. */
function moved(
  { message, assumed }: Question,
  { cluster, namespace }: { readonly cluster?: string; readonly namespace?: string },
): Question {
  const { incident } = message
  const pod =
    incident.pod && namespace !== undefined ? { ...incident.pod, namespace } : incident.pod
  const there = { ...incident, ...(cluster !== undefined && { cluster }), ...(pod && { pod }) }
  return { message: { ...message, incident: there }, assumed }
}

function summary({ message, assumed }: Question): object {
  return { rule: message.detection?.rule, incident: message.incident.id || null, assumed }
}

function show(place: string, { message, assumed }: Question, answers: Answers, io: Io): void {
  const { incident, detection } = message
  const where = [incident.cluster, incident.pod?.namespace, incident.pod?.name].filter((one) => one)
  io.out(`${printable(`${place}: "${detection?.rule}" in ${where.join('/') || 'no pod'}`)}\n`)
  for (const text of assumed) io.out(`  ${paint('assumed', 'dim', io)}: ${text}\n`)
  const lines = answers.rules.flatMap((rule) => linesOf(rule, io))
  for (const line of lines) io.out(`  ${line}\n`)
  if (answers.nothing !== undefined) io.out(`  nothing answers: ${printable(answers.nothing)}\n`)
  else if (!answers.rules.some((rule) => rule.answers)) io.out('  nothing answers\n')
}

function linesOf(rule: RuleAnswer, io: Io): string[] {
  const name = `"${printable(rule.rule)}" (line ${rule.line})`
  if (!rule.answers) return [`   ${name}: no: ${printable(rule.reason ?? '')}`]
  const time = (seconds: number | undefined) => durationText(BigInt(seconds ?? 0) * 1_000_000_000n)
  const mode = paint(rule.mode ?? '', rule.mode === 'auto' ? 'red' : 'bold', io)
  const meaning = {
    off: '',
    observe: 'plans, and changes nothing',
    approve: `waits ${time(rule.approveSeconds)} for a person`,
    auto: 'acts by itself',
  }[rule.mode ?? 'off']
  return [
    `${paint('->', 'green', io)} ${name}: ${mode}: ${meaning}; undone after ${time(rule.expiresSeconds)}`,
    ...(rule.lowered === undefined ? [] : [`     ${rule.lowered}`]),
    ...(rule.steps ?? []).flatMap(({ name: step, does, guards, ends }) => [
      `     ${printable(`${step}: ${ends === undefined ? does : `not reached: ${ends}`}`)}`,
      ...guards.map(({ level, reason }) => {
        const what = level === 'never' ? 'not done' : 'only if a person approves'
        return `       ${what}: ${printable(reason)}`
      }),
    ]),
  ]
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
