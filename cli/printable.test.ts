import fc from 'fast-check'
import { expect, it } from 'vitest'
import { printable } from './printable.ts'

it('leaves ordinary text alone, of any language', () => {
  expect(printable('cat /etc/shadow')).toBe('cat /etc/shadow')
  expect(printable('größe 日本')).toBe('größe 日本')
})

it('shows control characters instead of obeying them', () => {
  expect(printable('\x1b[2Jx\r\n')).toBe('\\x1b[2Jx\\x0d\\x0a')
  expect(printable('\x9b31m')).toBe('\\x9b31m')
})

it('shows direction marks and bytes that are no text', () => {
  expect(printable('a\u202eb')).toBe('a\\u{202e}b')
  expect(printable('\udcff')).toBe('\\xff')
})

it('never lets a control character through', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(/[\x00-\x1f\x7f-\x9f]/)
    }),
  )
})
