import type { Check } from '../machine.ts'

/**
 * What `lanner-sensor --probe` found: a line a feature (name, state, meaning, separated by tabs) when the
 * programs could be loaded, else its reasons on standard error.
 */
export function probedFeatures(out: string, errors: string): readonly Check[] {
  const lines = out.split('\n').filter((line) => line !== '')
  if (lines.length === 0) return [notLoaded(errors)]
  return lines.map((line): Check => {
    const [name = '', state, found = ''] = line.split('\t')
    return { name, state: state === 'ok' ? 'ok' : 'limited', found, advice: '' }
  })
}

function notLoaded(errors: string): Check {
  const reasons = errors
    .split('\n')
    .map((line) => line.replace(/^lanner-sensor: /, ''))
    .filter((line) => line !== '')
  return {
    name: 'programs',
    state: 'missing',
    found: reasons.slice(0, 3).join('; ') || 'the sensor ended without a word',
    advice: /EPERM|not permitted/.test(errors)
      ? 'the container needs the capabilities of the DaemonSet, and a seccomp profile that lets it call bpf(2)'
      : '',
  }
}
