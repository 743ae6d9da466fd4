import { priorityNames } from '#engine'
import type { Notice } from './notice.ts'

/** How the process came about, the oldest first, as a small tree. */
export function treeOf({ lineage }: Notice): string[] {
  return lineage.toReversed().map(({ pid, name, exe }, depth) => {
    const branch = depth === 0 ? '' : `${'   '.repeat(depth - 1)}└─ `
    return `${branch}${name} [${pid}]${exe === '' ? '' : ` ${exe}`}`
  })
}

/** Where it is, as pairs of what and its value. */
export function placesOf({ where, about }: Notice): (readonly [what: string, value: string])[] {
  const { cluster, account, region, namespace, workload, pod, node, container, image } = where
  const all: (readonly [string, string | undefined])[] = [
    ['Cluster', cluster],
    ['Account', account === undefined ? undefined : [account, region].filter(Boolean).join(' ')],
    ['Namespace', namespace],
    ['Workload', workload],
    ['Pod', pod],
    ['Container', container],
    ['Image', image],
    ['Node', node ?? (about === 'incident' && cluster !== '' ? 'several' : undefined)],
  ]
  return all.filter((pair): pair is readonly [string, string] => Boolean(pair[1]))
}

/** Why it matters, in a line; `undefined` when nothing says. */
export function whyOf({ tactics, techniques, meaning }: Notice): string | undefined {
  const known = techniques.map(({ id, name }) => (name === id ? id : `${id} ${name}`))
  const attack = [...tactics.map(capital), ...known].join(' · ')
  const parts = [meaning, attack === '' ? undefined : `ATT&CK: ${attack}`]
  const all = parts.filter((part) => part !== undefined)
  return all.length === 0 ? undefined : all.join('\n')
}

/** How often and since when, in a line. */
export function timesOf({ count, first, last, rules }: Notice): string {
  const many = rules.slice(0, 5).map((rule) => `${rule.name} × ${rule.count}`)
  const rest = rules.length > 5 ? [`${rules.length - 5} more rules`] : []
  const by = rules.length > 1 ? ` (${[...many, ...rest].join(', ')})` : ''
  const times = count === 1 ? 'Once' : `${count} times`
  const when =
    first === last ? `at ${shortTime(first)}` : `${shortTime(first)} to ${shortTime(last)}`
  return `${times}${by}, ${when}`
}

/** What state it is in: `CRITICAL`, `CRITICAL, closed`. */
export function statusOf({ priority, state, about }: Notice): string {
  const name = priorityNames[priority]!.toUpperCase()
  // a response that went well ends nothing
  if (about === 'response') return name
  return state === 'closed' ? `${name}, closed` : name
}

/** All of it as text for e-mail and terminals: no markup. */
export function textOf(notice: Notice): string {
  const { sentence, words, steps, links, evidence, id, subject, about } = notice
  const places = placesOf(notice)
  const width = Math.max(0, ...places.map(([what]) => what.length))
  const why = whyOf(notice)
  const tree = treeOf(notice)
  const sections: (readonly string[])[] = [
    [`[${statusOf(notice)}] ${sentence}`],
    words === undefined ? [] : [words],
    places.length === 0
      ? []
      : ['WHERE', ...places.map(([what, value]) => `  ${what.padEnd(width)}  ${value}`)],
    tree.length === 0 ? [] : ['PROCESSES', ...tree.map((line) => `  ${line}`)],
    why === undefined ? [] : ['WHY IT MATTERS', ...why.split('\n').map((line) => `  ${line}`)],
    steps.length === 0
      ? []
      : [
          'FIRST STEPS',
          ...steps.flatMap(({ text, commands }, at) => [
            `  ${at + 1}. ${text}`,
            ...commands.map((command) => `       ${command}`),
          ]),
        ],
    ['WHEN', `  ${timesOf(notice)}`],
    ['EVIDENCE', `  ${evidence}`],
    links.length === 0 ? [] : ['LINKS', ...links.map(({ title, url }) => `  ${title}: ${url}`)],
    [`${capital(about === 'response' ? 'incident' : about)} ${subject}, message ${id}`],
  ]
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

function shortTime(time: string): string {
  return time
    .replace(/(\.\d{3})\d*/, '$1')
    .replace('T', ' ')
    .replace('Z', ' UTC')
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
