import { describe, expect, it } from 'vitest'
import { makeContainer, makeEvent, makeProcess } from '#testing/events.ts'
import { compileNodeRules } from './node-rules.ts'

const file = (condition: string) => ({
  name: 'r.yaml',
  text: `- rule: r\n  desc: d\n  condition: ${condition}\n  output: o\n  priority: NOTICE\n`,
})
const compile = (condition: string) => {
  const compiled = compileNodeRules([file(condition)], { selections: [], matching: 'first' })
  if ('mistakes' in compiled) throw new Error(compiled.mistakes.join())
  return compiled.rules
}

describe('rules on a node', () => {
  it('keep an event that only the Kubernetes API can decide on', () => {
    const { edge, full } = compile(
      'evt.type=setns and k8s.ns.name=prod and container.image contains x',
    )
    const process = makeProcess({ container: makeContainer({}) })
    expect(full().evaluate(makeEvent('setns', { process }))).toEqual([])
    expect(edge.evaluate(makeEvent('setns', { process })).map(({ name }) => name)).toEqual(['r'])
  })

  it('drop what the kernel alone decides on', () => {
    const { edge } = compile('evt.type=setns and container.id!=host and k8s.ns.name=prod')
    expect(edge.evaluate(makeEvent('setns'))).toEqual([])
  })

  it('have a hash of what is in them', () => {
    const hash = compile('evt.type=setns').hash
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    expect(compile('evt.type=setns').hash).toBe(hash)
    expect(compile('evt.type=unshare').hash).not.toBe(hash)
  })

  it('are refused with their mistakes', () => {
    const compiled = compileNodeRules([file('evt.typo=x')], { selections: [], matching: 'first' })
    expect(compiled).toMatchObject({ mistakes: [expect.stringContaining('r.yaml:3:')] })
  })
})
