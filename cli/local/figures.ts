import type { LocalStack } from '../../infra/local/start-local.ts'

/** What the functions measure of themselves, summed over all of them, by the name of the metric. */
export class LocalFigures {
  readonly #sums = new Map<string, number>()
  incidents = 0
  detections = 0
  other = 0

  /** Takes a line of a function; gives whether it was one of metrics. */
  take(line: string): boolean {
    const metrics = metricsIn(line)
    if (metrics === undefined) return false
    for (const [name, value] of metrics) {
      this.#sums.set(name, (this.#sums.get(name) ?? 0) + value)
    }
    return true
  }

  sum(name: string): number {
    return this.#sums.get(name) ?? 0
  }

  /** Counts an event of the bus by its detail type. */
  count(type: string): void {
    if (type === 'Detection') this.detections += 1
    else if (type === 'Incident Opened') this.incidents += 1
    else this.other += 1
  }

  /** One line: what passed each hop, in the order of the way. */
  text(stack: LocalStack, dead: number): string {
    const lambdas = [...stack.lambdas.values()].map(({ counts }) => counts)
    const sum = (of: (counts: (typeof lambdas)[number]) => number) =>
      lambdas.reduce((total, counts) => total + of(counts), 0)
    const errors = sum(({ errors }) => errors)
    const objects = [...stack.wires.deliveries.values()].map(({ counts }) => counts.objects)
    const parts = [
      `stream ${this.sum('Batches')} batches, ${this.sum('Events')} events`,
      `functions ${sum(({ invocations }) => invocations)}${errors > 0 ? ` (${errors} failed)` : ''}`,
      `bus ${stack.bus.counts.taken}`,
      `${this.sum('Detections')} detections`,
      `${this.incidents} incidents`,
      `lake ${objects.reduce((total, count) => total + count, 0)} objects`,
    ]
    if (dead > 0) parts.push(`DEAD LETTERS ${dead}`)
    return parts.join('  ·  ')
  }
}

/** Name and value of each metric of a line in CloudWatch's embedded metric format. */
function metricsIn(line: string): [string, number][] | undefined {
  if (!line.includes('"_aws"')) return undefined
  try {
    const entry = JSON.parse(line) as Readonly<Record<string, unknown>> & {
      readonly _aws?: {
        readonly CloudWatchMetrics?: readonly {
          readonly Metrics: readonly { readonly Name: string }[]
        }[]
      }
    }
    const names = (entry._aws?.CloudWatchMetrics ?? []).flatMap(({ Metrics }) => Metrics)
    return names.map(({ Name }) => {
      const values = [entry[Name]].flat().map(Number)
      return [Name, values.reduce((sum, value) => sum + value, 0)]
    })
  } catch {
    return undefined
  }
}
