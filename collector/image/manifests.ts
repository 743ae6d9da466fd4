import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildHelm, render } from './helm.ts'

// node collector/image/manifests.ts: makes the plain manifests from the chart again.

/** Manifests for clusters without Helm: file → values that it is rendered with. */
export const manifests = {
  'lanner.yaml': { cluster: 'CHANGE-ME', namespace: { create: true } },
  'preflight.yaml': {
    cluster: 'CHANGE-ME',
    namespace: { create: true },
    preflight: { only: true },
  },
} as const

/** Text of one of the manifests. */
export function manifest(name: keyof typeof manifests): string {
  const head =
    '# Made from collector/image/chart by collector/image/manifests.ts; change that instead.\n'
  return head + render(JSON.stringify(manifests[name]))
}

if (import.meta.main) {
  await buildHelm()
  for (const name of Object.keys(manifests) as (keyof typeof manifests)[]) {
    writeFileSync(join(import.meta.dirname, name), manifest(name))
  }
}
