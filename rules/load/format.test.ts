import { describe, expect, it } from 'vitest'
import { falcoResult } from './falco-result.ts'
import { formatDiagnostic } from './format.ts'
import { diagnosticsOf, load, rule } from './testing/load.ts'

describe('a diagnostic', () => {
  it('is shown with its line, a caret and the nearest right name', () => {
    const [diagnostic] = diagnosticsOf(load(rule('r', 'evt.type=open and proc.nmae=x')))
    expect(formatDiagnostic(diagnostic!)).toBe(
      `a.yaml:3:32: error: proc.nmae: no such field; did you mean proc.name?
  |
3 |   condition: evt.type=open and proc.nmae=x
  |                                ^^^^^^^^^
  = LOAD_ERR_COMPILE_CONDITION (Error compiling condition)`,
    )
  })

  it('has the shape of Falco for machines, with positions from 0', () => {
    const result = load(rule('r', 'evt.type=open and proc.nmae=x'))
    const { errors, warnings, successful } = falcoResult(result.files[0]!)
    expect(successful).toBe(false)
    expect(warnings).toEqual([])
    const [error] = errors
    expect(error).toMatchObject({ code: 'LOAD_ERR_COMPILE_CONDITION' })
    expect(
      error!.context.locations.map(({ item_type, item_name }) => [item_type, item_name]),
    ).toEqual([
      ['rules content', ''],
      ['rule', 'r'],
      ['rule condition', ''],
      ['condition expression', ''],
    ])
    expect(error!.context.locations.at(-1)!.position).toMatchObject({
      name: '"evt.type=open and..."',
      line: 2,
      column: 31,
    })
  })
})
