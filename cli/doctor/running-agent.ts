import type { Check } from '../machine.ts'
import { Metrics } from '../metrics-text.ts'
import { printable } from '../printable.ts'
import { type Stage, selectivity } from '../selectivity.ts'

/** What an agent that runs says of itself. */
export interface RunningAgent {
  readonly checks: readonly Check[]
  readonly stages: readonly Stage[]
}

const patienceMs = 2000
const longestAnswer = 1 << 20
const longUnsentSeconds = 60

/** Asks the agent at this port of localhost; `undefined` when nothing answers. */
export async function askAgent(port: number): Promise<RunningAgent | undefined> {
  const [metrics, health] = await Promise.all([get(port, '/metrics'), get(port, '/healthz')])
  if (metrics === undefined || health === undefined) return undefined
  const figures = Metrics.parse(metrics.text)
  if (!figures.has('lanner_rules')) {
    const check: Check = {
      name: 'agent',
      state: 'limited',
      found: `something else answers at port ${port}`,
      advice: 'set health.port of the agent to a port that is free',
    }
    return { checks: [check], stages: [] }
  }
  return { checks: describe(figures, health), stages: selectivity(figures) }
}

interface Answer {
  readonly status: number
  readonly text: string
}

async function get(port: number, path: string): Promise<Answer | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      signal: AbortSignal.timeout(patienceMs),
      redirect: 'error',
    })
    let text = ''
    const decoder = new TextDecoder()
    for await (const piece of answer.body ?? []) {
      text += decoder.decode(piece, { stream: true })
      if (text.length > longestAnswer) break
    }
    return { status: answer.status, text }
  } catch {
    // nothing listens, or what does speaks something else: there is no agent here
    return undefined
  }
}

const count = (number: number) => number.toLocaleString('en')

function describe(figures: Metrics, health: Answer): Check[] {
  const checks = [healthCheck(health), rulesCheck(figures), lossCheck(figures)]
  if (figures.has('lanner_spool_bytes')) checks.push(shippingCheck(figures))
  const kubernetes = figures.by('lanner_kubernetes', 'figure')
  if (figures.has('lanner_kubernetes')) checks.push(podsCheck(kubernetes))
  return checks
}

function healthCheck({ status, text }: Answer): Check {
  if (status === 200) return { name: 'agent', state: 'ok', found: 'runs and is well', advice: '' }
  const complaints = text.trim().split('\n').map(printable).join('; ')
  return {
    name: 'agent',
    state: 'missing',
    found: `runs, and is not well: ${complaints}`,
    advice: 'see its log, and the checks of spool, Kubernetes and AWS here',
  }
}

function rulesCheck(figures: Metrics): Check {
  const refused = figures.total('lanner_rules_refused_total')
  const heldBack = figures.total('lanner_rules_held_back')
  const found = `${count(figures.total('lanner_rules'))} in force`
  const name = 'its rules'
  if (refused > 0) {
    return {
      ...{ name, state: 'limited', found: `${found}; ${count(refused)} changed sets were refused` },
      advice: 'the old ones stay in force: see the log, or lanner agent --config FILE --check',
    }
  }
  if (heldBack > 0) {
    return {
      ...{ name, state: 'limited', found: `${found}, ${count(heldBack)} held back by the limit` },
      advice: 'tune the rules that match so often, or raise limit.events',
    }
  }
  return { name, state: 'ok', found, advice: '' }
}

/** What to do about losses, by the start of their place. */
const lossAdvice: readonly (readonly [string, string])[] = [
  ['ring', 'the agent gets too little CPU: raise its CPU request, or narrow the rules'],
  ['limit', 'tune the rules that match so often, or raise limit.events'],
  ['queue', 'the disk of the spool is too slow'],
  ['spool', 'the spool was full or its disk failed: raise spool.limit, see why batches wait'],
  ['sink', 'the stream refused batches for good: see the log'],
]

function lossCheck(figures: Metrics): Check {
  const name = 'its losses'
  const places = Object.entries(figures.by('lanner_events_lost_total', 'place'))
    .filter(([, lost]) => lost > 0)
    .sort(([, a], [, b]) => b - a)
  const [most] = places
  if (most === undefined) return { name, state: 'ok', found: 'none in this run', advice: '' }
  const found = places.map(([place, lost]) => `${count(lost)} at ${printable(place)}`).join(', ')
  const advice = lossAdvice.find(([start]) => most[0].startsWith(start))?.[1] ?? 'see its log'
  return { name, state: 'limited', found: `${found}, in this run`, advice }
}

function shippingCheck(figures: Metrics): Check {
  const waiting = figures.total('lanner_spool_batches')
  const oldest = figures.total('lanner_oldest_unsent_seconds')
  const kibibytes = Math.ceil(figures.total('lanner_spool_bytes') / 1024)
  const sent = count(figures.total('lanner_batches_sent_total'))
  const found = `${sent} batches sent, ${count(waiting)} wait (spool ${count(kibibytes)} KiB), the oldest for ${oldest.toFixed(1)} s`
  const name = 'its shipping'
  if (oldest < longUnsentSeconds) return { name, state: 'ok', found, advice: '' }
  const failures = Object.entries(figures.by('lanner_send_failures_total', 'kind'))
    .filter(([, times]) => times > 0)
    .map(([kind, times]) => `${printable(kind)} ${count(times)}×`)
  return {
    ...{ name, state: 'limited', found: [found, ...failures].join('; ') },
    advice: 'see whether the stream exists, the role may write to it, and the network reaches it',
  }
}

function podsCheck(figures: Readonly<Record<string, number>>): Check {
  const { pods = 0, unresolved = 0, connected = 0, errors = 0 } = figures
  const name = 'its pods'
  const found = `${count(pods)} known`
  if (connected === 0) {
    return {
      ...{ name, state: 'limited', found: `${found}; no connection, ${count(errors)} errors` },
      advice: 'see its log; it needs get, list and watch on pods',
    }
  }
  if (unresolved === 0) return { name, state: 'ok', found, advice: '' }
  return {
    ...{ name, state: 'limited', found: `${found}; ${count(unresolved)} containers without one` },
    advice: 'a moment after a pod starts this is usual; if it stays, see kubernetes.* and node',
  }
}
