import { describe, expect, it } from 'vitest'
import { probedFeatures } from './probed-features.ts'

describe('what the sensor found when it tried', () => {
  it('is a check a line', () => {
    const out = 'programs\tok\tloaded\nio_uring\tlimited\tnot seen\n'
    expect(probedFeatures(out, 'lanner-sensor: io_uring: no tracepoint\n')).toEqual([
      { name: 'programs', state: 'ok', found: 'loaded', advice: '' },
      { name: 'io_uring', state: 'limited', found: 'not seen', advice: '' },
    ])
  })

  it('is its reasons when nothing could be loaded', () => {
    const [check, ...rest] = probedFeatures(
      '',
      'lanner-sensor: this kernel lacks bpf_loop\nlanner-sensor: this kernel lacks x\n',
    )
    expect(rest).toEqual([])
    expect(check).toMatchObject({
      name: 'programs',
      state: 'missing',
      found: 'this kernel lacks bpf_loop; this kernel lacks x',
    })
  })

  it('says which right is missing', () => {
    const [check] = probedFeatures('', 'lanner-sensor: cannot load: Operation not permitted\n')
    expect(check!.advice).toContain('capabilities of the DaemonSet')
    expect(probedFeatures('', '')[0]!.found).not.toBe('')
  })
})
