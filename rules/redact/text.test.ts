import { expect, it } from 'vitest'
import { createTextRedactor } from './index.ts'

it.each([
  ['command=psql --password hunter2 -x', 'command=psql --password [redacted] -x'],
  ['curl https://me:hunter2@h.io/', 'curl https://me:[redacted]@h.io/'],
  ['key AKIAIOSFODNN7EXAMPLE used', 'key [redacted] used'],
  ['a JWT eyJhbGciOi.eyJzdWIiOi.c2ln!', 'a JWT [redacted]!'],
  ['badge 17 at the door', 'badge [redacted] at the door'],
  ['cat /etc/passwd /run/secrets/token', 'cat /etc/passwd /run/secrets/token'],
])('%s', (given, shown) => {
  const redactor = createTextRedactor(['badge (\\d+)'])
  expect(redactor.text(given)).toBe(shown)
  expect(redactor.text(shown)).toBe(shown)
})

it('paths lose only what cannot be mistaken', () => {
  const redactor = createTextRedactor([])
  expect(redactor.path('/tmp/token=abc')).toBe('/tmp/token=abc')
  expect(redactor.path('/tmp/AKIAIOSFODNN7EXAMPLE')).toBe('/tmp/[redacted]')
})
