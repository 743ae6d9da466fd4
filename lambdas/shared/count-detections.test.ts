import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundClusters, countDetections } from './count-detections.ts'
import type { Detection } from './detection.ts'
import { emitCounts } from './emit-counts.ts'
import { other, tactics } from './metric-dimensions.ts'

const detection = (cluster: string, ...tags: string[]) =>
  ({ tags, lanner: { cluster } }) as unknown as Detection

describe('counts of detections', () => {
  it('are by each tactic that a rule names, and by cluster', () => {
    const found = [
      detection('a', 'container', 'mitre_execution', 'mitre_execution', 'T1059'),
      detection('a', 'mitre_execution', 'mitre_impact'),
      detection('b', 'host'),
    ]
    expect(countDetections(found)).toEqual({
      byTactic: { execution: 2, impact: 1, other: 1 },
      byCluster: { a: 2, b: 1 },
    })
  })

  it('have no more values than are known, whatever a node says', () => {
    const texts = fc.array(fc.oneof(fc.string(), fc.constant('__proto__'), fc.constant('mitre_x')))
    const known = new Set(['prod', 'toString'])
    fc.assert(
      fc.property(texts, texts, (clusters, tags) => {
        const found = clusters.map((cluster) => detection(cluster, ...tags))
        const { byTactic, byCluster } = countDetections(found)
        const bound = boundClusters(byCluster, known)
        const sum = Object.values(bound).reduce((total, count) => total + count, 0)
        expect(sum).toBe(clusters.length)
        expect([...known, other]).toEqual(expect.arrayContaining(Object.keys(bound)))
        expect([...tactics, other]).toEqual(expect.arrayContaining(Object.keys(byTactic)))
      }),
    )
  })

  it('are lines of the embedded format, none for what there was not', () => {
    const lines: string[] = []
    emitCounts('Detections', 'tactic', { impact: 2, execution: 0 }, (line) => lines.push(line))
    expect(lines).toHaveLength(1)
    expect(lines[0]!.endsWith('}\n')).toBe(true)
    expect(JSON.parse(lines[0]!)).toMatchObject({
      _aws: {
        CloudWatchMetrics: [
          {
            Namespace: 'Lanner',
            Dimensions: [['tactic']],
            Metrics: [{ Name: 'Detections', Unit: 'Count' }],
          },
        ],
      },
      ...{ tactic: 'impact', Detections: 2 },
    })
  })
})
