import type { Check } from '../machine.ts'

/** Whether the kernel's type information has this name. */
export type HasName = (name: string) => boolean

interface Feature {
  readonly name: string
  readonly symbol: string
  readonly present: string
  readonly absent: string
  readonly advice: string
  /** Without it nothing works. */
  readonly isNeeded?: true
}

const features: readonly Feature[] = [
  {
    name: 'loops in BPF',
    symbol: 'BPF_FUNC_loop',
    present: 'bpf_loop: long paths and deep groups are read whole',
    absent: 'no bpf_loop, which the sensor is built on',
    advice: 'Linux 5.17 and newer have it',
    isNeeded: true,
  },
  {
    name: 'BPF task storage',
    symbol: 'BPF_MAP_TYPE_TASK_STORAGE',
    present: 'processes of the host are marked once and cost little from then on',
    absent: 'no task storage, which the sensor is built on',
    advice: 'Linux 5.11 and newer have it',
    isNeeded: true,
  },
  {
    name: 'typed BPF pointers',
    symbol: 'bpf_rdonly_cast',
    present: 'bpf_rdonly_cast: kernel memory is read at full speed',
    absent: 'no bpf_rdonly_cast: the same events, each read about ten times dearer in the kernel',
    advice: 'Linux 6.2 and newer have it',
  },
]

/** What the sensor uses of this kernel, and what follows where it is not there. */
export function kernelFeatures(has: HasName): Check[] {
  const checks = features.map(({ name, symbol, present, absent, advice, isNeeded }): Check => {
    if (has(symbol)) return { name, state: 'ok', found: present, advice: '' }
    return { name, state: isNeeded ? 'missing' : 'limited', found: absent, advice }
  })
  return [...checks, uring(has)]
}

function uring(has: HasName): Check {
  const name = 'io_uring'
  if (!has('btf_trace_io_uring_submit_req')) {
    return {
      name,
      state: 'limited',
      found: 'no io_uring_submit_req tracepoint',
      advice:
        'opens and connects through io_uring are not seen on this kernel (6.3 and newer have it)',
    }
  }
  if (has('btf_trace_io_uring_complete')) {
    return { name, state: 'ok', found: 'opens and connects are seen, with results', advice: '' }
  }
  return {
    name,
    state: 'limited',
    found: 'opens and connects are seen, without results',
    advice: 'rules that ask whether such a call succeeded do not match it',
  }
}
