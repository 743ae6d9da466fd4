import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { automaticIn, comparePolicies } from './compare-policies.ts'
import { modeOf } from './match-response.ts'
import { type Mode, type ModeRule, modes } from './policy.ts'
import { readResponses } from './read-responses.ts'

const base = `
- action: Mark
  actionner: kubernetes:label
  parameters: {labels: {a: b}}
- action: Cut
  actionner: lanner:quarantine
- rule: one
  match: {rules: [R]}
  actions: [{action: Mark}]
- rule: two
  match: {priority: ">=Warning"}
  actions: [{action: Mark}]
`
function policy(more = '', text = base) {
  const { ok, policy, files } = readResponses([{ name: 'r.yaml', text: text + more }])
  if (!ok) throw new Error(JSON.stringify(files[0]!.diagnostics.map(({ message }) => message)))
  return policy
}
const auto = '- {mode: auto, rules: [one], clusters: ["prod-*"], namespaces: [web]}\n'

describe('the difference of two policies', () => {
  it('says which rule may go further where, with the names of known clusters', () => {
    const { modes, automatic } = comparePolicies(policy(), policy(auto), ['prod-eu', 'dev'])
    expect(modes).toEqual([
      {
        ...{ rule: 'one', from: 'observe', to: 'auto' },
        ...{ clusters: 'prod-* (prod-eu)', namespaces: 'web' },
      },
    ])
    expect(automatic).toEqual(['"one" becomes automatic in prod-* (prod-eu), web'])
    expect(comparePolicies(policy(auto), policy()).automatic).toEqual([])
    const first = comparePolicies(undefined, policy(auto))
    expect(first.modes.map(({ from, to }) => `${from} ${to}`).sort()).toEqual([
      'none auto',
      'none observe',
      'none observe',
      'none observe',
    ])
  })

  it.each([
    ['other actions', base.replace('[{action: Mark}]', '[{action: Cut}]'), 'has other actions'],
    ['other detections', base.replace('[R]', '[R, S]'), 'answers other detections'],
  ])('counts %s of what is automatic as automatic', (_, text, what) => {
    const { automatic } = comparePolicies(policy(auto), policy(auto, text))
    expect(automatic).toEqual([`"one", automatic in prod-*, web: ${what}`])
    expect(comparePolicies(policy(), policy('', text)).automatic).toEqual([])
  })

  it('counts what keeps detections from an automatic rule, limits and protection', () => {
    const all = '- {mode: auto, rules: [two]}\n'
    const ending = base.replace(
      '  match: {rules: [R]}\n',
      '  continue: false\n  match: {rules: [R]}\n',
    )
    expect(comparePolicies(policy(all, ending), policy(all)).automatic).toEqual([
      '"two", automatic in every cluster, every namespace: "one" before it does not end the search any more',
    ])
    const guarded = policy(`${all}- protect: {namespaces: [db]}\n- limits: {workload: 1/h}\n`)
    expect(comparePolicies(guarded, policy(all)).automatic).toEqual([
      'limit workload: 1/3600s -> 2/3600s',
      'not protected any more: namespaces db',
    ])
    expect(comparePolicies(policy(all), guarded)).toMatchObject({
      automatic: [],
      settings: ['limit workload: 2/3600s -> 1/3600s', 'protected: namespaces db'],
    })
  })

  it('misses no place that becomes automatic', () => {
    const pattern = fc.constantFrom('prod-*', '*-eu', 'prod-eu', 'dev', '*', 'p*d*')
    const item: fc.Arbitrary<ModeRule> = fc.record({
      mode: fc.constantFrom<Mode>(...modes),
      rules: fc.constantFrom<string[]>([], ['one'], ['t*']),
      clusters: fc.array(pattern, { maxLength: 2 }),
      namespaces: fc.array(pattern, { maxLength: 2 }),
    })
    const name = fc.constantFrom('prod-eu', 'prod-us', 'test-eu', 'dev', 'other', 'pd', 'prod--eu')
    const items = fc.array(item, { maxLength: 5 })
    fc.assert(
      fc.property(items, items, name, name, (old, now, cluster, namespace) => {
        const [before, after] = [old, now].map((modes) => ({ ...policy(), modes }))
        const { automatic } = comparePolicies(before!, after!)
        for (const rule of after!.rules) {
          const was = modeOf(before!, rule, cluster, namespace)
          const is = modeOf(after!, rule, cluster, namespace)
          const isSaid = automatic.some((text) => text.startsWith(`"${rule.name}" becomes`))
          if (is === 'auto' && was !== 'auto') expect(isSaid).toBe(true)
          const here = automaticIn(after!, cluster)!.map((one) => one.rule)
          if (is === 'auto') expect(here).toContain(rule.name)
        }
      }),
    )
  })
})
