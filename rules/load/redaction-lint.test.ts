import { describe, expect, it } from 'vitest'
import { redactionEffects } from './redaction-lint.ts'
import { load, rule } from './testing/load.ts'

const effects = (...conditions: string[]) => {
  const { ruleSet } = load(conditions.map((text, i) => rule(`r${i}`, text)).join(''))
  return redactionEffects(ruleSet).map(({ rule, fields }) => [rule, ...fields])
}

describe('rules whose verdict redaction could change', () => {
  it('compare arguments or variables, of the process or of others', () => {
    expect(
      effects(
        'evt.type=execve and proc.cmdline contains --password',
        'evt.type=open and (proc.args[1] = x or not proc.pcmdline startswith y)',
        'proc.acmdline[2] glob *x* and proc.aargs contains x and proc.acmdline[2] contains y',
        'proc.env[AWS_PROFILE] in (x) and proc.aenv contains x and proc.exeline endswith x',
        'tolower(proc.args) contains x and proc.name = val(proc.exe)',
        'proc.cmdlenargs > 100',
      ),
    ).toEqual([
      ['r0', 'proc.cmdline'],
      ['r1', 'proc.args[1]', 'proc.pcmdline'],
      ['r2', 'proc.acmdline[2]', 'proc.aargs'],
      ['r3', 'proc.env[AWS_PROFILE]', 'proc.aenv', 'proc.exeline'],
      ['r4', 'proc.args', 'proc.exe'],
      ['r5', 'proc.cmdlenargs'],
    ])
  })

  it('compare texts that a call was given', () => {
    expect(
      effects(
        'evt.type=write and evt.buffer contains x',
        'evt.type=sendto and evt.arg.data contains x',
        'evt.type=execve and evt.arg.args contains x and evt.arg[2] contains y',
        'evt.type=open and evt.args contains x',
        'evt.type=execve and evt.args contains x',
      ),
    ).toEqual([
      ['r0', 'evt.buffer'],
      ['r1', 'evt.arg.data'],
      ['r2', 'evt.arg.args', 'evt.arg[2]'],
      ['r4', 'evt.args'],
    ])
  })

  it('are not those that compare names, paths and numbers, or ask whether there is any', () => {
    expect(
      effects(
        'evt.type=open and fd.name startswith /etc and proc.name = sh and evt.arg.flags contains x',
        'evt.type=openat and evt.arg.name contains x and evt.arg[2] contains y',
        'evt.type=execve and proc.args = "" and proc.env[X] exists and proc.cmdnargs > 3',
        'proc.exepath endswith /sh and proc.cwd contains x and proc.aname in (x)',
      ),
    ).toEqual([])
  })

  it('are enabled, and have their place', () => {
    const off = rule('off', 'proc.args contains x').replace('  desc', '  enabled: false\n  desc')
    const { ruleSet } = load(off + rule('on', 'proc.args contains x'))
    const [effect, ...others] = redactionEffects(ruleSet)
    expect(effect).toMatchObject({ rule: 'on', at: { file: 'a.yaml' } })
    expect(effect!.at.line).toBeGreaterThan(5)
    expect(others).toEqual([])
  })
})
