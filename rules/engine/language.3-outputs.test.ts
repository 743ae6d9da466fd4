import { describe, expect, it } from 'vitest'
import { fieldMapSource, parseFieldMap } from '#events'
import { bindOutput } from './format-output.ts'
import { parseOutput } from './output-template.ts'

const given = {
  'proc.name': 'bash',
  'proc.aname': ['sh', 'sshd'],
  'proc.apid': [2, 1],
  'proc.pid': 7,
  'fd.types': ['file', 'ipv4'],
  'fd.dev': 255,
  'evt.failed': true,
  'evt.rawtime.ns': 42,
  'fd.sip': '::1',
  'fd.cip': '10.0.0.1',
}

function render(text: string): string {
  const output = parseOutput(text)
  const event = parseFieldMap(given)
  if ('problems' in output) return `error: ${output.problems[0]!.message}`
  if ('errors' in event) throw new Error(event.errors[0]!.message)
  return bindOutput(output.template, fieldMapSource).text(event.map)
}

describe('3.1 output texts', () => {
  it.each([
    ['x %proc.name y', 'x bash y'],
    ['%proc.nameand', 'bashand'],
    ['%proc.name.', 'bash.'],
    ['[%6proc.name]', '[bash  ]'],
    ['[%2proc.name]', '[ba]'],
    ['%proc.aname[1]', 'sh'],
    ['%proc.aname', 'sh sshd'],
    ['%proc.apid', '7'],
    ['%proc.pname', 'sh'],
    ['%user.name', '<NA>'],
    ['%toupper(proc.name)', 'BASH'],
    ['%concat(proc.name, "!")', 'bash!'],
    ['%fd.types', '(file,ipv4)'],
    ['%fd.dev', 'FF'],
    ['%evt.failed', 'true'],
    ['%evt.rawtime.ns', '000000042'],
    ['%fd.sip', '::1'],
    ['%fd.ip %fd.port %fd.net', '<NA> <NA> <NA>'],
    ['%evt.time.iso8601', '1970-01-01T00:00:00.000000000+0000'],
    ['no token', 'no token'],
  ])('%s: %s', (text, expected) => {
    expect(render(text)).toBe(expected)
  })

  it.each([
    '100%',
    '%',
    '%%',
    '% proc.name',
    '%nosuch.field',
    '%toupper(proc.pid)',
    '%val(proc.name)',
    '%toupper(proc.name',
  ])('%s is refused', (text) => {
    expect(render(text)).toMatch(/^error: /)
  })
})
