import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { examineMachine } from '../../cli/machine.ts'

/**
 * Why live tests cannot run here; "" when they can. Where they must run (CI as root) a reason is a
 * failure and not a skip.
 */
export function whyNotLive(): string {
  const missing = examineMachine().filter(({ state }) => state === 'missing')
  const reason = missing.map(({ name, found }) => `${name}: ${found}`).join('; ')
  if (reason !== '' && process.env['CI'] === 'true' && process.getuid?.() === 0) {
    throw new Error(`live tests must run in CI, but: ${reason}`)
  }
  return reason
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Directory of rules that others wrote; `undefined` where this machine has none. */
export function corpus(): string | undefined {
  const places = [process.env['LANNER_CORPUS'], `${root}../shared/corpus`]
  return places.find((place) => place !== undefined && existsSync(`${place}/falco`))
}
