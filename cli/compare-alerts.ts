/** One alert of either side, as far as the comparison looks at it. */
export interface AlertRecord {
  readonly file: string
  readonly line: number
  readonly rule: string
  /** As written. */
  readonly time: string
  /** Nanoseconds since the epoch. */
  readonly ns: bigint
  /** What people know the process by. */
  readonly process: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface AlertFile {
  readonly alerts: readonly AlertRecord[]
  /** When this side says that it lost events. */
  readonly losses: readonly bigint[]
  /** Lines that are no alert, with their place. */
  readonly problems: readonly string[]
}

export interface Unpaired {
  readonly alert: AlertRecord
  /** Why the other side does not have it; `undefined` when that is not known. */
  readonly cause: string | undefined
}

export interface Pairing {
  readonly both: readonly (readonly [falco: AlertRecord, lanner: AlertRecord])[]
  readonly onlyFalco: readonly Unpaired[]
  readonly onlyLanner: readonly Unpaired[]
}

/** Reads alerts, one JSON object a line. */
export function readAlerts(file: string, text: string): AlertFile {
  const alerts: AlertRecord[] = []
  const losses: bigint[] = []
  const problems: string[] = []
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const alert = readAlert(file, i + 1, line)
    if (typeof alert === 'string') problems.push(`${file}:${i + 1}: error: ${alert}`)
    else if (/^falco internal/i.test(alert.rule) || /events? (?:were )?lost/i.test(alert.rule)) {
      losses.push(alert.ns)
    } else alerts.push(alert)
  }
  return { alerts, losses, problems }
}

function readAlert(file: string, line: number, text: string): AlertRecord | string {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return `no JSON: ${error instanceof Error ? error.message : error}`
  }
  if (typeof json !== 'object' || json === null) return 'an alert is an object'
  const { rule, time, output_fields: given } = json as Record<string, unknown>
  if (typeof rule !== 'string') return 'the alert has no rule'
  const ns = typeof time === 'string' ? nanoseconds(time) : undefined
  if (typeof time !== 'string' || ns === undefined) return 'the alert has no time'
  const isMap = typeof given === 'object' && given !== null && !Array.isArray(given)
  const fields = isMap ? (given as Record<string, unknown>) : {}
  return { file, line, rule, time, ns, process: processOf(fields), fields }
}

function nanoseconds(time: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)$/.exec(time)
  if (match === null) return undefined
  const zone = match[3]!.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')
  const seconds = Date.parse(match[1]! + zone)
  if (Number.isNaN(seconds)) return undefined
  return BigInt(seconds) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'))
}

function processOf(fields: Readonly<Record<string, unknown>>): string {
  const name = fields['proc.cmdline'] ?? fields['proc.name'] ?? 'a process'
  const pid = fields['proc.pid']
  return pid === undefined ? String(name) : `${name} (${pid})`
}

/** Fields that must not differ in a pair, where both sides give them. */
const identity = ['proc.pid', 'proc.name', 'proc.cmdline', 'evt.type', 'fd.name', 'container.id']

function sameProcess(a: AlertRecord, b: AlertRecord): boolean {
  return identity.every((name) => {
    const [left, right] = [a.fields[name], b.fields[name]]
    if (left === undefined || right === undefined || left === null || right === null) return true
    return String(left) === String(right)
  })
}

/** The same process at about the same time, whatever the rule and the file. */
function sameMoment(a: AlertRecord, b: AlertRecord, window: bigint): boolean {
  const near = distance(a.ns, b.ns) <= window
  const pids = [a.fields['proc.pid'], b.fields['proc.pid']]
  if (!near) return false
  if (pids[0] !== undefined && pids[1] !== undefined) return String(pids[0]) === String(pids[1])
  return a.process === b.process
}

function inTime(alerts: readonly AlertRecord[]): AlertRecord[] {
  return [...alerts].sort((a, b) => (a.ns < b.ns ? -1 : a.ns > b.ns ? 1 : 0))
}

/** Those of sorted alerts that are no further than `reach` from a time. */
function around(sorted: readonly AlertRecord[], ns: bigint, reach: bigint): AlertRecord[] {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]!.ns < ns - reach) low = middle + 1
    else high = middle
  }
  const found: AlertRecord[] = []
  for (let i = low; i < sorted.length && sorted[i]!.ns <= ns + reach; i++) found.push(sorted[i]!)
  return found
}

function distance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a
}

/**
 * Pairs alerts of the same rule and process, nearest times first, no further than `window` seconds
 * apart. `causeOf` says why Lanner cannot have an alert of a rule.
 */
export function pairAlerts(
  falco: AlertFile,
  lanner: AlertFile,
  window: number,
  causeOf: (rule: string) => string | undefined,
): Pairing {
  const reach = BigInt(Math.round(window * 1e9))
  const ofLanner = inTime(lanner.alerts)
  const ofFalco = inTime(falco.alerts)
  const candidates = falco.alerts.flatMap((left) =>
    around(ofLanner, left.ns, reach)
      .filter((right) => left.rule === right.rule && sameProcess(left, right))
      .map((right) => ({ left, right, apart: distance(left.ns, right.ns) })),
  )
  candidates.sort((a, b) => (a.apart < b.apart ? -1 : a.apart > b.apart ? 1 : 0))
  const paired = new Set<AlertRecord>()
  const both: [AlertRecord, AlertRecord][] = []
  for (const { left, right } of candidates) {
    if (paired.has(left) || paired.has(right)) continue
    paired.add(left)
    paired.add(right)
    both.push([left, right])
  }
  const alone = ({ alerts }: AlertFile) => alerts.filter((alert) => !paired.has(alert))
  const lost = ({ losses }: AlertFile, ns: bigint) =>
    losses.some((loss) => distance(loss, ns) <= reach + 30_000_000_000n)
  const otherRule = (alert: AlertRecord, others: readonly AlertRecord[]) =>
    around(others, alert.ns, reach).find(
      (other) => other.rule !== alert.rule && sameMoment(alert, other, reach),
    )?.rule
  return {
    both,
    onlyFalco: alone(falco).map((alert) => {
      const other = otherRule(alert, ofLanner)
      const cause =
        causeOf(alert.rule) ??
        (other !== undefined ? `Lanner reports it by another rule: ${other}` : undefined) ??
        (lost(lanner, alert.ns) ? 'Lanner lost events at this time' : undefined) ??
        documented(alert)
      return { alert, cause }
    }),
    onlyLanner: alone(lanner).map((alert) => {
      const other = otherRule(alert, ofFalco)
      const cause =
        (other !== undefined
          ? `Falco stops at the first rule that matches, and reports it by: ${other}`
          : undefined) ??
        (lost(falco, alert.ns) ? 'Falco dropped events at this time' : undefined) ??
        documented(alert)
      return { alert, cause }
    }),
  }
}

/** Differences of meaning that are known and explained in rules/DIFFERENCES.md. */
function documented({ fields }: AlertRecord): string | undefined {
  const name = fields['fd.name']
  if (typeof name === 'string' && name.includes('/..')) {
    return 'documented difference: Lanner has the path that the kernel resolved'
  }
  if (fields['evt.type'] === 'execveat') {
    return 'documented difference: a successful execveat is an execve to Falco'
  }
  return undefined
}
