import { expect, it } from 'vitest'
import { StatusLine, statusText, type WatchFigures } from './status-line.ts'

const figures: WatchFigures = {
  seconds: 2,
  seen: 50_000,
  kept: 400,
  lost: 0,
  detections: 3,
  rules: 25,
  memory: 50 * 2 ** 20,
  restarts: 0,
}

it('shows rates and totals', () => {
  expect(statusText(figures, undefined)).toBe(
    '25k events/s seen  ·  200/s kept  ·  0 lost  ·  3 detections  ·  25 rules  ·  50 MiB',
  )
})

it('shows rates since the time before, and restarts when there were some', () => {
  const text = statusText({ ...figures, seconds: 3, seen: 50_005, restarts: 1 }, figures)
  expect(text).toMatch(/^5\.0 events\/s seen {2}· {2}0\.0\/s kept .* 1 restarts$/)
})

it('keeps the figures below what is printed on a terminal, and out of a pipe', () => {
  let screen = ''
  const line = new StatusLine(true, (text) => {
    screen += text
  })
  line.show('figures', 80)
  line.print('detection\n')
  expect(screen).toBe('\r\x1b[K\x1b[2mfigures\x1b[0m\r\x1b[Kdetection\nfigures')
  let pipe = ''
  const plain = new StatusLine(false, (text) => {
    pipe += text
  })
  plain.show('figures', 80)
  plain.print('detection\n')
  expect(pipe).toBe('detection\n')
})
