import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { sensorPath } from '../../cli/machine.ts'
import { whyNotLive } from './machine.ts'

const reason = whyNotLive()

/** Loads and attaches once, on a kernel that seems to lack these names. */
function probe(...missing: string[]) {
  const { status, stdout, stderr } = spawnSync(sensorPath, ['--probe'], {
    encoding: 'utf8',
    env: { LANNER_WITHOUT: missing.join(',') },
  })
  return { status, stdout, stderr }
}

describe.skipIf(reason !== '')(`live: a kernel that lacks something ${reason}`, () => {
  it('is used whole where nothing is missing', () => {
    const { status, stdout, stderr } = probe()
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^programs\tok/)
  })

  it('does without io_uring, or without its results, and says so', () => {
    const none = probe('btf_trace_io_uring_submit_req')
    expect(none.status).toBe(0)
    expect(none.stderr).toMatch(/io_uring: no io_uring_submit_req tracepoint .* stay unseen\n$/)
    const half = probe('btf_trace_io_uring_complete')
    expect(half.status).toBe(0)
    expect(half.stderr).toMatch(/io_uring: no io_uring_complete tracepoint.* without results\n$/)
  })

  it('reads dearer without typed pointers, and loses nothing', () => {
    const { status, stdout, stderr } = probe('bpf_rdonly_cast')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain('typed pointers\tlimited\tno bpf_rdonly_cast (Linux 6.2)')
  })

  it.each([
    ['btf_trace_sys_exit', 'the sys_exit tracepoint'],
    ['btf_trace_sched_process_fork', 'the sched_process_fork tracepoint'],
    ['bpf_iter__task', 'iterators over tasks (Linux 5.8)'],
    ['BPF_FUNC_task_storage_get', 'BPF task storage (Linux 5.11)'],
    ['BPF_FUNC_loop', 'bpf_loop (Linux 5.17)'],
    ['BPF_FUNC_copy_from_user_task', 'bpf_copy_from_user_task (Linux 5.18)'],
  ])('refuses by name without %s', (name, what) => {
    const { status, stdout, stderr } = probe(name)
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toBe(`lanner-sensor: this kernel lacks ${what}, which the sensor is built on\n`)
  })

  it('says all that is missing at once', () => {
    const { status, stderr } = probe('BPF_FUNC_loop', 'bpf_iter__task')
    expect(status).toBe(2)
    expect(stderr.split('\n').length).toBe(3)
  })
})
