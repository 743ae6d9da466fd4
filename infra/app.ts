import { readFileSync } from 'node:fs'
import { App } from 'aws-cdk-lib'
import { readConfig } from './config.ts'
import { makeInstallation, writeClusterTemplate } from './installation.ts'

// Synthesises all stacks: `npx cdk synth`, or this file alone. What the CLI says of the context wins.
const { context } = JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8'))
const outdir = process.env['CDK_OUTDIR'] ?? 'build/cdk.out'
const app = new App({ context, outdir })
const config = readConfig(app.node.tryGetContext('lanner'))
await makeInstallation(app, config)
app.synth()
writeClusterTemplate(config, `${app.outdir}/any-cluster`)
