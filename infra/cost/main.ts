import { writeFileSync } from 'node:fs'
import { report } from './report.ts'

/** Writes `infra/cost.md`. */
writeFileSync(new URL('../cost.md', import.meta.url), report())
