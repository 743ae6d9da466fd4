import { expect, it } from 'vitest'
import { verifyEvidence } from '../evidence/manifest.ts'
import { type Life, liveThrough } from './live-through.ts'
import type { Death, MadeCall } from './response-world.ts'
import type { Scene } from './scenes.ts'

export const actions: Readonly<Record<string, readonly string[]>> = {
  describe: ['{action: a, actionner: kubernetes:describe}'],
  logs: ['{action: a, actionner: kubernetes:log}'],
  label: ['{action: a, actionner: kubernetes:label, parameters: {labels: {x: "1", app: ""}}}'],
  annotate: ['{action: a, actionner: kubernetes:annotation, parameters: {annotations: {x: "1"}}}'],
  'label a node': [
    '{action: a, actionner: kubernetes:label, parameters: {level: node, labels: {x: "1"}}}',
  ],
  quarantine: ['{action: a, actionner: "lanner:quarantine"}'],
  cordon: ['{action: a, actionner: kubernetes:cordon}'],
  evict: ['{action: a, actionner: kubernetes:evict}'],
  terminate: [
    '{action: a, actionner: kubernetes:terminate, parameters: {ignore_standalone_pods: false}}',
  ],
  lambda: ['{action: a, actionner: aws:lambda, parameters: {aws_lambda_name: f}}'],
  webhook: ['{action: a, actionner: "lanner:webhook", parameters: {url: "https://example.org"}}'],
  'all of them': [
    '{action: a, actionner: kubernetes:describe}',
    '{action: b, actionner: kubernetes:label, parameters: {labels: {x: "1"}}}',
    '{action: c, actionner: kubernetes:cordon}',
    '{action: d, actionner: "lanner:quarantine"}',
    '{action: e, actionner: "lanner:webhook", parameters: {url: "https://example.org"}}',
  ],
}

/** A policy that does these by itself, for an hour. */
export function policyOf(steps: readonly string[]): string {
  return `
- rule: r
  match: {rules: [Shell]}
  expires: 1h
  actions:
${steps.map((step) => `    - ${step}`).join('\n')}
- {mode: auto}
`
}

/**
 * For each action: its process dies at each call that `isWanted`, before and after its effect, and what
 * comes of the response is what comes of one that nothing happened to. `atOnce`: lives side by side.
 */
export function crashSuite(
  makeScene: () => Promise<Scene>,
  { isWanted = (_: MadeCall): boolean => true, atOnce = 1 } = {},
): void {
  const live = async (policy: string, death?: Death) => {
    const scene = await makeScene()
    try {
      return await liveThrough(scene, policy, death)
    } finally {
      await scene.end()
    }
  }
  it.each(Object.entries(actions))(
    '%s',
    async (name, steps) => {
      const policy = policyOf(steps)
      const whole = await live(policy)
      expect(whole.state.phase).toBe('closed')
      const { calls } = whole.first
      expect(calls.length).toBeGreaterThan(10)
      const deaths = calls.flatMap((call, i): Death[] =>
        isWanted(call) ? [false, true].map((after) => ({ at: i + 1, after })) : [],
      )
      const isWhole = deaths.length === 2 * calls.length
      let ambiguous = 0
      const worker = async () => {
        for (let death = deaths.shift(); death !== undefined; death = deaths.shift()) {
          const where = `${name} ${death.after ? 'after' : 'before'} call ${death.at}`
          if (await judge(await live(policy, death), whole, steps, where)) ambiguous += 1
        }
      }
      await Promise.all(Array.from({ length: atOnce }, worker))
      if (isOutside(steps) && isWhole) expect(ambiguous).toBeGreaterThan(0)
    },
    600_000,
  )
}

const isOutside = (steps: readonly string[]) => steps.some((step) => /webhook|lambda/.test(step))

/** Whether nobody can know what became of a call that must not be made twice. */
async function judge(life: Life, whole: Life, steps: readonly string[], where: string) {
  const { world, state } = life
  expect(life.crashed, where).toBe(1)
  expect(life.left, where).toEqual(whole.left)
  expect(life.acted, where).toEqual(whole.acted)
  expect(world.outside.length, where).toBeLessThanOrEqual(isOutside(steps) ? 1 : 0)
  if (state.evidence !== undefined) {
    const text = Buffer.from(world.evidence.get(state.evidence.manifest)!).toString()
    const get = async (key: string) => world.evidence.get(key)
    expect((await verifyEvidence(text, get, state.evidence.head)).problems, where).toEqual([])
    expect(world.evidence.size, where).toBe(whole.world.evidence.size)
  }
  // every id is of one text
  const texts = new Map<string, string>()
  for (const { detail } of world.said) {
    const { id, text } = detail as { id: string; text: string }
    expect(texts.get(id) ?? text, where).toBe(text)
    texts.set(id, text)
  }
  if (state.ending === 'ambiguous' || state.steps.some(({ status }) => status === 'ambiguous')) {
    expect(isOutside(steps), where).toBe(true)
    return true
  }
  expect(state.ending, where).toBe(whole.state.ending)
  expect(life.steps, where).toEqual(whole.steps)
  expect(life.told, where).toEqual(whole.told)
  expect(world.outside.length, where).toBe(whole.world.outside.length)
  return false
}
