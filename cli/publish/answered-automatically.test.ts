import { expect, it } from 'vitest'
import type { RuleArtefact } from '#artefact'
import { answeredAutomatically } from './answered-automatically.ts'
import { policyIn } from './responses-kind.ts'

const one = (name: string, priority: number, ...tags: string[]) => ({ name, priority, tags })
const set = {
  rules: [one('Severe', 2, 'a'), one('Slight', 5, 'a'), one('Old', 2)],
  correlations: [one('Together', 1)],
} as unknown as RuleArtefact
const policy = (mode: string) =>
  policyIn(`
- action: Look
  actionner: kubernetes:describe
- rule: Isolate
  match: {priority: ">=Critical", output_fields: [k8s.ns.name=web], source: syscall}
  actions: [{action: Look}]
- rule: Other
  match: {tags: [b]}
  actions: [{action: Look}]
${mode}`)!

it('names the rules that an automatic response answers, of those that are asked about', () => {
  const asked = ['Severe', 'Slight', 'Together']
  expect(answeredAutomatically(set, asked, policy(''))).toEqual([])
  expect(answeredAutomatically(set, asked, policy('- {mode: auto, clusters: [prod]}\n'))).toEqual([
    '"Severe" may be answered automatically, by "Isolate"',
    '"Together" may be answered automatically, by "Isolate"',
  ])
  const hidden = '- {mode: auto, rules: [Other]}\n'
  expect(answeredAutomatically(set, asked, policy(hidden))).toEqual([])
})
