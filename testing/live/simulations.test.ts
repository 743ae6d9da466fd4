import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { simulations } from '../../cli/simulations/catalogue.ts'
import { whyNotLive } from './machine.ts'
import { act, Watcher } from './watcher.ts'

const reason = whyNotLive()

describe.skipIf(reason !== '')(`live: every simulation is detected ${reason}`, () => {
  let watcher: Watcher

  beforeAll(async () => {
    watcher = await Watcher.start(['--rules', 'rules/library', '--rule-matching', 'all'])
  })
  afterAll(async () => {
    await watcher?.stop()
  })

  it.each(simulations)('$name', async ({ rule, steps }) => {
    const since = watcher.alerts.length
    await act(...steps)
    const alert = await watcher.alert(rule, since)
    expect(alert?.rule).toBe(rule)
    expect(alert?.output).not.toContain('process=<NA>')
  })
})
