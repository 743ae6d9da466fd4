import { describe, expect, it } from 'vitest'
import { kernelFeatures } from './kernel-features.ts'

const all = [
  ...['BPF_FUNC_loop', 'BPF_MAP_TYPE_TASK_STORAGE', 'bpf_rdonly_cast'],
  ...['btf_trace_io_uring_submit_req', 'btf_trace_io_uring_complete'],
]
const states = (names: readonly string[]) =>
  kernelFeatures((name) => names.includes(name)).map(({ state }) => state)
const without = (name: string) => states(all.filter((each) => each !== name))

describe('what the sensor uses of a kernel', () => {
  it('is all there on a new one', () => {
    expect(states(all)).toEqual(['ok', 'ok', 'ok', 'ok'])
  })

  it('rules live detection out where the sensor is built on it', () => {
    expect(without('BPF_FUNC_loop')).toEqual(['missing', 'ok', 'ok', 'ok'])
    expect(without('BPF_MAP_TYPE_TASK_STORAGE')).toEqual(['ok', 'missing', 'ok', 'ok'])
  })

  it('is dearer or blinder where only that is lost', () => {
    expect(without('bpf_rdonly_cast')).toEqual(['ok', 'ok', 'limited', 'ok'])
    expect(without('btf_trace_io_uring_complete')).toEqual(['ok', 'ok', 'ok', 'limited'])
    const [uring] = kernelFeatures((name) => !name.includes('uring')).slice(-1)
    expect(uring).toMatchObject({ state: 'limited', advice: expect.stringContaining('not seen') })
  })

  it('always has advice where it is not well', () => {
    for (const { state, advice } of kernelFeatures(() => false)) {
      expect(state).not.toBe('ok')
      expect(advice).not.toBe('')
    }
  })
})
