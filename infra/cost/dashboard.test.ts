import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { flat, ofType, synthesise } from '../testing/synthesise.ts'
import { assumed } from './measured.ts'
import { costOf, usageOf } from './model.ts'

/** One hour of a fleet, as CloudWatch would add it up, by the id of each metric of the widget. */
type Hour = Readonly<Record<string, number>>

function evaluated(expression: string, hour: Hour): number {
  const arithmetic = expression
    .replaceAll(/FILL\((\w+), 0\)/g, (_, id: string) => String(hour[id] ?? 0))
    .replaceAll(/\s+/g, ' ')
  expect(arithmetic).toMatch(/^[\d\s.+*/e-]+$/)
  return new Function(`return ${arithmetic}`)() as number
}

it('the dashboard estimates what the cost model says, term by term', async () => {
  const made = await synthesise({ account: '111111111111', region: 'eu-central-1', shards: 2 })
  const [dashboard] = ofType(made.templates['lanner-operations']!, 'AWS::CloudWatch::Dashboard')
  rmSync(made.directory, { recursive: true, force: true })
  const { widgets } = JSON.parse(flat(dashboard![1].Properties['DashboardBody']))
  const { metrics } = widgets.find(
    ({ properties }: { properties: { title?: string } }) =>
      properties.title === 'Estimated cost an hour, $',
  ).properties as { metrics: ({ label?: string; expression?: string; id?: string } | string)[][] }
  const expressions = new Map(
    metrics.flatMap(([first]) =>
      typeof first === 'object' ? [[first.label, first.expression!] as const] : [],
    ),
  )
  const idOf = (name: string, value: string) => {
    const row = metrics.find((one) => one[1] === name && one[3] === value)!
    return (row.at(-1) as { id: string }).id
  }
  const fleet = { nodes: 5000, rate: 200, shipped: 0.0006 }
  const usage = usageOf(fleet)
  const cost = costOf(fleet)
  const evaluate = ['Duration', 'Invocations'].map((name) => idOf(name, 'lanner-evaluate'))
  const hour: Hour = {
    ...{ put: usage.records * 3600, delivered: usage.records * 3600 },
    ...{ table_writes: usage.writeUnits * 3600, table_reads: usage.readUnits * 3600 },
    [evaluate[0]!]: usage.cpuSeconds * 3600 * 1000,
    [evaluate[1]!]: usage.invocations * 3600,
  }
  const estimate = (label: string) => evaluated(expressions.get(label)!, hour)
  const aMonth = (label: string) => estimate(label) * 730
  expect([...expressions.keys()]).toEqual(['stream', 'table', 'lake', 'functions'])
  expect(usage.shards).toBe(2)
  expect(aMonth('stream') / cost.kinesis).toBeCloseTo(1, 6)
  expect(aMonth('table') / cost.dynamodb).toBeCloseTo(1, 6)
  // Lambda bills MiB, the model has GB
  const memory = 1769 / 1024 / assumed.memoryGb
  expect(aMonth('functions') / cost.lambda).toBeGreaterThan(memory * 0.98)
  expect(aMonth('functions') / cost.lambda).toBeLessThan(1.0001)
  // storage is not metered by the hour
  expect(aMonth('lake')).toBeLessThan(cost.lake)
  expect(aMonth('lake')).toBeGreaterThan(cost.lake * 0.5)
})
