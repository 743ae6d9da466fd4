import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readConfig } from '../config.ts'
import { packageInstallation } from './package-installation.ts'

// `npm run package [DIRECTORY]`: what `cdk.json` configures, to deploy without the CDK.
const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'))
const directory = process.argv[2] ?? fileURLToPath(new URL('../../build/package', import.meta.url))
const given = process.env['LANNER_CONFIG'] ?? context.lanner
const { stacks, assets } = await packageInstallation(readConfig(given), context, directory)
const total = [...stacks, ...assets].reduce((sum, { bytes }) => sum + bytes, 0)
process.stdout.write(
  `${directory}: ${stacks.length} stacks, ${assets.length} functions, ${(total / 1024).toFixed(0)} KiB; ./deploy.sh BUCKET\n`,
)
