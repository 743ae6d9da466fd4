/**
 * Counts in CloudWatch's embedded format, each under one dimension alone: functions that count the same
 * thing add to the same metric. One line a value; those that are 0 are left out.
 */
export function emitCounts(
  name: string,
  dimension: string,
  counts: Readonly<Record<string, number>>,
  write: (line: string) => void = (line) => void process.stdout.write(line),
): void {
  for (const [value, count] of Object.entries(counts)) {
    if (count === 0) continue
    const definition = {
      Namespace: 'Lanner',
      Dimensions: [[dimension]],
      Metrics: [{ Name: name, Unit: 'Count' }],
    }
    const _aws = { Timestamp: Date.now(), CloudWatchMetrics: [definition] }
    write(`${JSON.stringify({ _aws, [dimension]: value, [name]: count })}\n`)
  }
}
