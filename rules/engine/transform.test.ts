import { describe, expect, it } from 'vitest'
import { fieldMapSource } from '#events'
import { interpret } from './interpret.ts'
import { checkedCondition } from './testing/rule-arbitrary.ts'

const event = {
  'proc.name': 'BaSh',
  'proc.exe': '/usr/bin/bash',
  'fd.types': ['file', 'ipv4'],
  'evt.arg.data': 'aGVsbG8=',
}

describe('1.5 transformers', () => {
  it.each([
    'tolower(proc.name) = bash',
    'toupper(proc.name) = BASH',
    'basename(proc.exe) = bash',
    'b64(evt.arg.data) = hello',
    'len(proc.name) = 4',
    'len(fd.types) = 2',
    'join("+", fd.types) = file+ipv4',
    'concat("x", proc.name, "y") = xBaShy',
    'toupper(fd.types) in (FILE, IPV4)',
    'join(",", (proc.name, "z", 3)) = "BaSh,z,3"',
    'getopt(("-n", "-t", "5", "x", "-y"), "nt:")[t] = 5',
    'getopt(("-n5"), "n:")[n] = 5',
    'getopt(("-n"), "n")[n] = n',
    'getopt(("-z"), "n") in (?)',
    'len(getopt(("-n", "--long", "--", "-n"), "n")) = 1',
  ])('%s holds', (text) => {
    expect(interpret(checkedCondition(text), event, fieldMapSource)).toBe(true)
  })

  it('have no value when an argument has none, or makes no sense', () => {
    for (const text of [
      'concat(proc.name, proc.pname) exists',
      'b64(proc.exe) exists',
      'getopt(("-n"), "n")[t] exists',
      'toupper(proc.pname) != x',
    ]) {
      expect(interpret(checkedCondition(text), event, fieldMapSource)).toBe(false)
    }
  })
})
