import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileRules } from '#engine'
import { fieldMapSource } from '#events'
import { formatDiagnostic } from './format.ts'
import { diagnosticsOf, load, rule } from './testing/load.ts'

const whole = `- required_engine_version: 0.57.0
- required_plugin_versions:
    - {name: container, version: 0.4.0}
- list: shells
  items: [bash, '"(x)"', sh]
- macro: spawned
  condition: >
    (evt.type in (execve, execveat)
     and proc.name in (shells))
${rule('r', 'spawned and not proc.aname[2]="a\\x41" and toupper(proc.exe)=val(proc.name)', '  tags: [a]\n  exceptions:\n    - name: e\n      fields: [proc.name]\n      values: [[x]]\n')}- rule: r
  output: more %proc.name
  override: {output: append}
`

describe('a rules file of any content', () => {
  it('gives diagnostics, never an exception', () => {
    const edit = fc.record({
      at: fc.nat(whole.length),
      length: fc.nat(12),
      insert: fc.oneof(
        fc.constantFrom('(', ')', '"', ':', '\n', '[', '- ', '%', '&a', '*a'),
        fc.string({ maxLength: 4 }),
      ),
    })
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let text = whole
        for (const { at, length, insert } of edits) {
          text = text.slice(0, at) + insert + text.slice(at + length)
        }
        const result = load(text)
        for (const diagnostic of diagnosticsOf(result)) {
          const { at } = diagnostic
          expect(at.offset).toBeLessThanOrEqual(text.length)
          expect(formatDiagnostic(diagnostic)).toContain(`a.yaml:${at.line}:${at.column}: `)
        }
        if (!result.ok) return
        const program = compileRules(result.ruleSet.rules, fieldMapSource, { matching: 'all' })
        program.evaluate({ 'evt.type': 'execve', 'proc.name': 'bash', 'proc.exe': 'x' })
      }),
      { numRuns: 1000 },
    )
  })
})
