import { type Io, paint } from './io.ts'

/** What came of one test, or what keeps a rule or file from being tested. */
export interface Outcome {
  readonly file: string
  readonly line: number
  readonly rule: string
  /** "" where it is no single test. */
  readonly test: string
  /** Absent when the test passed. */
  readonly failure?: string
}

export const formats = ['text', 'table', 'junit', 'tap'] as const
export type Format = (typeof formats)[number]

export function isFormat(text: string): text is Format {
  return (formats as readonly string[]).includes(text)
}

export function writeOutcomes(format: Format, outcomes: readonly Outcome[], io: Io): void {
  if (format === 'text') writeText(outcomes, io)
  else if (format === 'table') writeTable(outcomes, io)
  else io.out(format === 'junit' ? junit(outcomes) : tap(outcomes))
}

function writeText(outcomes: readonly Outcome[], io: Io): void {
  for (const outcome of outcomes) {
    const { file, line, failure } = outcome
    if (failure === undefined) continue
    const title = titleOf(outcome)
    const why = title === '' ? failure : `${title}: ${failure}`
    io.err(`${file}:${line}: ${paint('failed', 'red', io)}: ${why}\n`)
  }
  writeSum(outcomes, io)
}

function writeSum(outcomes: readonly Outcome[], io: Io): void {
  const failed = outcomes.filter(({ failure }) => failure !== undefined).length
  const verdict = failed === 0 ? paint('ok', 'green', io) : paint('failed', 'red', io)
  io.out(`${verdict}: ${outcomes.length - failed} passed, ${failed} failed\n`)
}

function titleOf({ rule, test }: Outcome): string {
  return test === '' ? rule : `${rule}: ${test}`
}

function writeTable(outcomes: readonly Outcome[], io: Io): void {
  const width = Math.max(4, ...outcomes.map(({ rule }) => rule.length))
  for (const { rule, test, failure, file, line } of outcomes) {
    const mark = failure === undefined ? paint('ok    ', 'green', io) : paint('failed', 'red', io)
    const why = failure === undefined ? '' : `  ${failure} (${file}:${line})`
    io.out(`${mark}  ${rule.padEnd(width)}  ${test}${why}\n`)
  }
  writeSum(outcomes, io)
}

function tap(outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap((outcome, i) => {
    const { failure, file, line } = outcome
    const title = titleOf(outcome).replace(/[#\\]/g, '\\$&').replaceAll('\n', ' ')
    if (failure === undefined) return [`ok ${i + 1} - ${title}`]
    return [
      `not ok ${i + 1} - ${title}`,
      '  ---',
      `  message: ${JSON.stringify(failure)}`,
      `  at: ${JSON.stringify(`${file}:${line}`)}`,
      '  ...',
    ]
  })
  return `TAP version 13\n1..${outcomes.length}\n${lines.map((line) => `${line}\n`).join('')}`
}

function junit(outcomes: readonly Outcome[]): string {
  const files = [...new Set(outcomes.map(({ file }) => file))]
  const failed = outcomes.filter(({ failure }) => failure !== undefined).length
  const suites = files.map((file) => {
    const own = outcomes.filter((outcome) => outcome.file === file)
    const wrong = own.filter(({ failure }) => failure !== undefined).length
    const cases = own.map(({ rule, test, failure, line }) => {
      const start =
        `    <testcase classname="${xml(rule || file)}" name="${xml(test || 'the rule')}" ` +
        `file="${xml(file)}" line="${line}"`
      return failure === undefined
        ? `${start}/>\n`
        : `${start}>\n      <failure message="${xml(failure)}"/>\n    </testcase>\n`
    })
    const attributes = `name="${xml(file)}" tests="${own.length}" failures="${wrong}"`
    return `  <testsuite ${attributes}>\n${cases.join('')}  </testsuite>\n`
  })
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<testsuites tests="${outcomes.length}" failures="${failed}">\n${suites.join('')}</testsuites>\n`
  )
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\t': '&#9;',
}

function xml(text: string): string {
  // XML 1.0 has no way to write other control characters.
  return text
    .toWellFormed()
    .replace(/[&<>"\n\t]/g, (char) => entities[char]!)
    .replace(/[\x00-\x1f\ufffe\uffff]/g, '\ufffd')
}
