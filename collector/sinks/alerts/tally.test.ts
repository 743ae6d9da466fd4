import { expect, it } from 'vitest'
import { Tally } from './tally.ts'

it('a tally says once a change that alerts are dropped, why, and that they are not any more', () => {
  let now = 0
  const said: string[] = []
  const tally = new Tally(
    'it',
    (text) => said.push(text),
    () => now,
  )
  tally.wrote(1)
  for (const reason of ['full', 'full', 'slow', 'full']) tally.drop(2, reason)
  tally.drop(0, 'nothing')
  expect(said.splice(0)).toEqual([
    'alerts to it are dropped: full',
    'alerts to it are dropped: slow',
  ])
  // one that gets through between those that do not is no change
  now += 9999
  tally.wrote(1)
  tally.drop(1, 'full')
  now += 9999
  tally.wrote(1)
  expect(said).toEqual([])
  now += 1
  tally.wrote(1)
  tally.wrote(1)
  expect(said.splice(0)).toEqual(['alerts are written to it again; 9 were dropped'])
  tally.drop(3, 'full')
  expect(said).toEqual(['alerts to it are dropped: full'])
  expect(tally.figures).toEqual({ written: 5, dropped: 12 })
})
