import { flat, type Template } from './synthesise.ts'

/** A metric that an alarm or a dashboard looks at. */
export interface WantedMetric {
  readonly namespace: string
  readonly name: string
  readonly dimensions: Readonly<Record<string, string>>
}

interface StatMetric {
  readonly Namespace: string
  readonly MetricName: string
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[]
}

/** All metrics that the alarms and dashboards of a template name, those within expressions too. */
export function metricsOf({ Resources }: Template): readonly WantedMetric[] {
  return Object.values(Resources).flatMap(({ Type, Properties }) => {
    if (Type === 'AWS::CloudWatch::Alarm') return ofAlarm(Properties)
    return Type === 'AWS::CloudWatch::Dashboard' ? ofDashboard(Properties['DashboardBody']) : []
  })
}

function ofAlarm(properties: Readonly<Record<string, unknown>>): WantedMetric[] {
  const parts = (properties['Metrics'] ?? []) as { MetricStat?: { Metric: StatMetric } }[]
  const own = properties['MetricName'] === undefined ? [] : [properties as unknown as StatMetric]
  const inside = parts.flatMap(({ MetricStat }) =>
    MetricStat === undefined ? [] : [MetricStat.Metric],
  )
  return [...own, ...inside].map(({ Namespace, MetricName, Dimensions = [] }) => ({
    ...{ namespace: Namespace, name: MetricName },
    dimensions: Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, flat(Value)])),
  }))
}

function ofDashboard(body: unknown): WantedMetric[] {
  const { widgets } = JSON.parse(flat(body)) as {
    readonly widgets: readonly { readonly properties: { readonly metrics?: unknown[][] } }[]
  }
  return widgets.flatMap(({ properties: { metrics = [] } }) =>
    metrics.flatMap((row) => {
      const texts = row.filter((cell) => typeof cell === 'string')
      const [namespace, name, ...pairs] = texts
      if (namespace === undefined || name === undefined) return []
      const dimensions: Record<string, string> = {}
      for (let at = 0; at < pairs.length; at += 2) dimensions[pairs[at]!] = pairs[at + 1]!
      return [{ namespace, name, dimensions }]
    }),
  )
}
