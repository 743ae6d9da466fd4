import { describe, expect, it } from 'vitest'
import type { NodeFigures } from './metrics.ts'
import { Watchdog } from './watchdog.ts'

function setUp() {
  const figures = {
    kernel: { lost: { other: 0, file: 0, network: 0, process: 0 } },
    lost: { queue: 0, spool: 0, sink: 0, limit: 0 },
    tampered: 0,
    outlet: { ship: { oldestUnsentMs: 0, lastError: 'no route' } },
  }
  const said: string[] = []
  const clock = { now: 0 }
  const watchdog = new Watchdog({
    notify: (kind, text) => said.push(`${kind}: ${text}`),
    figures: () => figures as unknown as NodeFigures,
    now: () => clock.now,
  })
  return { figures, said, clock, watchdog }
}

describe('the watchdog', () => {
  it('says what was lost since it last looked, and where', () => {
    const { figures, said, watchdog } = setUp()
    watchdog.look()
    expect(said).toEqual([])
    figures.kernel.lost.file = 7
    figures.lost.spool = 2
    watchdog.look()
    watchdog.look()
    figures.kernel.lost.file = 8
    watchdog.look()
    expect(said).toEqual([
      'events-lost: events were lost: 2 at spool, 7 at ring-file',
      'events-lost: events were lost: 1 at ring-file',
    ])
  })

  it('leaves to the limit what the limit holds back', () => {
    const { figures, said, watchdog } = setUp()
    figures.lost.limit = 9
    watchdog.look()
    expect(said).toEqual([])
  })

  it('says that the kernel side was changed', () => {
    const { figures, said, watchdog } = setUp()
    figures.tampered = 2
    watchdog.look()
    watchdog.look()
    expect(said).toEqual([expect.stringMatching(/^sensor-changed: .*\(2 times\)/)])
  })

  it('complains of an agent that does not run and of batches that wait long', () => {
    const { figures, clock, watchdog } = setUp()
    watchdog.look()
    expect(watchdog.complaints()).toEqual([])
    clock.now = 11_000
    figures.outlet.ship.oldestUnsentMs = 400_000
    expect(watchdog.complaints()).toEqual([
      'the agent has not run for 11 s',
      'batches wait for 400 s: no route',
    ])
  })
})
