import type { StateStore } from '#correlate'
import type { Bus } from '../shared/bus.ts'
import { detailTypes } from '../shared/bus-messages.ts'
import { Conclude, type ConcludeOptions } from '../shared/conclude.ts'
import { groupOfFinding } from '../shared/incidents/group.ts'
import { Incidents } from '../shared/incidents/incidents.ts'
import { detectionsPrefix } from '../shared/lake.ts'
import { type Swept, sweepCanaries, sweepNodes, sweepTallies } from '../shared/nodes/index.ts'
import { detectionOfFinding, findingId } from '../shared/sensor-finding.ts'
import type { Sweeper } from './sweep.ts'

export interface SweepersOptions extends ConcludeOptions {
  readonly store: StateStore
  readonly bus: Pick<Bus, 'put'>
  /** As hex. */
  readonly sha256: (text: string) => string
}

/** Who does what of what is due, in this order: nodes are judged with all that was counted of them. */
export function sweepers(options: SweepersOptions): readonly Sweeper[] {
  const { store, bus, sha256, now, random, pause, quiet } = options
  const seconds = () => Math.floor(now() / 1000)
  const state = { store, sha256, now: seconds, random, pause }
  const conclude = new Conclude(options)
  const incidents = new Incidents({ ...state, quiet, lakeOf: detectionsPrefix })

  /** First told, then marked as told: in between it is told again, under the same ids. */
  const tell = async ({ findings, health, markTold }: Swept) => {
    if (findings.length > 0 || health.length > 0) {
      const time = new Date(now()).toISOString()
      const ids = findings.map((finding) => findingId(finding, sha256))
      await conclude.run({
        ...{ contributions: [], parts: [], health },
        firingContext: () => {
          throw new Error('nothing fires without contributions')
        },
        grouped: findings.map((finding, at) => ({
          group: groupOfFinding(finding),
          unit: { id: ids[at]! },
          detection: detectionOfFinding(finding, {
            ...{ sha256, evaluatedAt: time },
            ...(options.account !== undefined && { account: options.account }),
            ...(options.region !== undefined && { region: options.region }),
          }),
        })),
        lake: { time, name: `sweep-${sha256(JSON.stringify(ids)).slice(0, 32)}` },
      })
    }
    await markTold()
  }

  return [
    {
      kinds: ['tally', 'node'],
      async sweep(keys) {
        const tallies = keys.filter((key) => key.startsWith('tally/'))
        const due = new Set(keys.filter((key) => !key.startsWith('tally/')))
        for (const key of await sweepTallies(tallies, state)) due.add(key)
        if (due.size > 0) await tell(await sweepNodes([...due], state))
      },
    },
    { kinds: ['canary'], sweep: async (keys) => tell(await sweepCanaries(keys, state)) },
    {
      kinds: ['incident'],
      async sweep(keys) {
        await incidents.close(keys, (messages) =>
          bus.put(messages.map((detail) => ({ type: detailTypes.closed, detail }))),
        )
      },
    },
  ]
}
