import * as fc from 'fast-check'
import type { Expr } from '../ast.ts'
import { checkCondition } from '../checks/check-condition.ts'
import { parseOutput } from '../output-template.ts'
import { parseCondition } from '../parse.ts'
import type { Rule } from '../rule.ts'

/** Few words, so that conditions often hold. */
const word = fc.constantFrom('bash', 'sshd', 'nginx', 'sh', '/etc/passwd', '/etc', 'a/b', '')
const number = fc.constantFrom('-2', '0', '1', '3', '80', '443', '4294967295')
const eventName = fc.constantFrom('open', 'openat', 'execve', 'connect', 'close', 'unlink')
const ip = fc.constantFrom('10.0.0.1', '10.0.0.2', '192.168.1.5', '2001:db8::1')
const net = fc.constantFrom('10.0.0.0/8', '192.168.0.0/16', '2001:db8::/32', '10.0.0.2/32')

const textField = fc.constantFrom(
  'proc.name',
  'fd.name',
  'proc.aname',
  'proc.aname[2]',
  'evt.arg.flags',
  'toupper(proc.name)',
  'basename(fd.name)',
)
const numberField = fc.constantFrom('fd.num', 'evt.rawres', 'fd.sport', 'fd.port', 'user.uid')

function list(item: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .array(item, { maxLength: 5 })
    .map((items) => `(${items.map((text) => JSON.stringify(text)).join(', ')})`)
}

function join(...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc.tuple(...parts).map((texts) => texts.join(' '))
}

const quoted = word.map((text) => JSON.stringify(text))
const check = fc.oneof(
  join(fc.constant('evt.type'), fc.constantFrom('=', '!='), eventName),
  join(fc.constant('evt.type in'), list(eventName)),
  join(textField, fc.constantFrom('=', '!=', 'contains', 'startswith', 'endswith'), quoted),
  join(textField, fc.constantFrom('in', 'intersects', 'pmatch'), list(word)),
  join(textField, fc.constantFrom('= oneof', 'startswith anyof', '!= allof'), list(word)),
  join(textField, fc.constantFrom('glob', 'iglob'), fc.constantFrom('*sh', '/etc/*', 'b?sh', '*')),
  join(textField, fc.constantFrom('icontains'), fc.constantFrom('SH', 'etc')),
  join(textField, fc.constant('regex'), fc.constantFrom('b.*', '"(ba)?sh"', '[a-z]+d')),
  join(numberField, fc.constantFrom('=', '!=', '<', '<=', '>', '>='), number.filter(isUnsigned)),
  join(numberField, fc.constant('in'), list(number.filter(isUnsigned))),
  join(fc.constantFrom('fd.num', 'evt.rawres'), fc.constantFrom('=', '<', '>='), number),
  join(fc.constantFrom('fd.sip', 'fd.ip'), fc.constantFrom('=', '!='), ip),
  join(fc.constantFrom('fd.sip', 'fd.ip'), fc.constant('in'), list(ip)),
  join(fc.constantFrom('fd.snet', 'fd.net'), fc.constantFrom('=', '!='), net),
  join(fc.constantFrom('fd.snet', 'fd.net'), fc.constant('in'), list(net)),
  join(fc.constantFrom('fd.types'), fc.constantFrom('in', 'intersects'), list(word)),
  join(fc.constant('evt.failed ='), fc.constantFrom('true', 'false')),
  join(fc.oneof(textField, numberField, fc.constant('fd.types')), fc.constant('exists')),
  fc.constantFrom(
    'proc.name = val(fd.name)',
    'evt.num = 0',
    'evt.num > 0',
    'len(fd.types) > 1',
    'concat(proc.name, "d") = toupper(proc.name)',
  ),
)

function isUnsigned(text: string): boolean {
  return !text.startsWith('-')
}

const { text: conditionTexts } = fc.letrec<{ text: string }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 4 },
    { arbitrary: check, weight: 3 },
    {
      arbitrary: fc
        .tuple(
          fc.constantFrom(' and ', ' or '),
          fc.array(tie('text'), { minLength: 2, maxLength: 4 }),
        )
        .map(([word, parts]) => `(${parts.join(word)})`),
      weight: 3,
    },
    { arbitrary: tie('text').map((text) => `not (${text})`), weight: 1 },
  ),
}))

/** A condition that the checks accept, with many events it holds for. */
export const checkedConditions: fc.Arbitrary<Expr> = conditionTexts.map(checkedCondition)

/** Parses a condition that is known to be right. */
export function checkedCondition(text: string): Expr {
  const parsed = parseCondition(text)
  const problems = 'problem' in parsed ? [parsed.problem] : checkCondition(parsed.expr)
  if ('problem' in parsed || problems.length > 0) {
    throw new Error(`${text}: ${problems.map(({ message }) => message).join('; ')}`)
  }
  return parsed.expr
}

/** A rule around a condition, for tests. */
export function ruleOf(name: string, condition: Expr, more: Partial<Rule> = {}): Rule {
  const output = parseOutput('%proc.name did it')
  if ('problems' in output) throw new Error('the output is wrong')
  return {
    name,
    source: 'syscall',
    description: name,
    condition,
    output: output.template,
    extraFields: [],
    priority: 4,
    tags: [],
    enabled: true,
    ...more,
  }
}

/** Sets of rules that often share parts. */
export const ruleSets: fc.Arbitrary<Rule[]> = fc
  .array(checkedConditions, { minLength: 1, maxLength: 4 })
  .chain((parts) => {
    const part = fc.constantFrom(...parts)
    const combined = fc
      .tuple(fc.constantFrom('and', 'or'), part, part)
      .map(([kind, a, b]): Expr => ({ kind: kind as 'and' | 'or', items: [a, b], at: 0, end: 0 }))
    return fc.array(fc.oneof(part, combined), { minLength: 1, maxLength: 6 })
  })
  .map((conditions) => conditions.map((condition, i) => ruleOf(`rule ${i}`, condition)))

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

/** Events as field maps over the same words. */
export const events: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc
  .record({
    'evt.type': optional(eventName),
    'proc.name': optional(word),
    'fd.name': optional(word),
    'proc.aname': optional(fc.array(word, { maxLength: 3 })),
    'evt.arg.flags': optional(word),
    'fd.num': optional(number.map(Number)),
    'evt.rawres': optional(fc.constantFrom(-2, 0, 3, 2n ** 60n)),
    'fd.sport': optional(fc.constantFrom(0, 80, 443)),
    'fd.cport': optional(fc.constantFrom(1, 80, 60000)),
    'user.uid': optional(number.filter(isUnsigned).map(Number)),
    'fd.sip': optional(ip),
    'fd.cip': optional(ip),
    'fd.types': optional(fc.array(word, { maxLength: 3 })),
    'evt.failed': optional(fc.boolean()),
  })
  .map((event) => Object.fromEntries(Object.entries(event).filter(([, v]) => v !== undefined)))
