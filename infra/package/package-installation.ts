import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { App } from 'aws-cdk-lib'
import type { LannerConfig } from '../config.ts'
import { makeInstallation, writeClusterTemplate } from '../installation.ts'
import { deployScript } from './deploy-script.ts'
import { type FreeTemplate, freeOfBootstrap } from './free-of-bootstrap.ts'
import { zipOf } from './zip-of.ts'

/** What a directory that can be deployed without the CDK holds; `manifest.json` in it. */
export interface Manifest {
  readonly installation: string
  /** In the order in which they are to be deployed. */
  readonly stacks: readonly PackagedStack[]
  readonly assets: readonly PackagedFile[]
  /** The template for any cluster. */
  readonly anyCluster: PackagedFile
}
export interface PackagedFile {
  readonly file: string
  readonly bytes: number
  readonly sha256: string
}
export interface PackagedStack extends PackagedFile {
  readonly name: string
  /** Where it belongs; that of the credentials when absent. */
  readonly account?: string
  readonly region?: string
  /** It is not deleted before its protection is taken away. */
  readonly protected: boolean
  /** Files of `assets` that it names. */
  readonly assets: readonly string[]
}

/** Writes templates, zipped functions, a manifest and the commands that deploy them, anew, into a directory. */
export async function packageInstallation(
  config: LannerConfig,
  context: Readonly<Record<string, unknown>>,
  directory: string,
): Promise<Manifest> {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(join(directory, 'assets'), { recursive: true })
  const made = join(directory, '.synth')
  const app = new App({ context, outdir: made })
  const { clusters } = await makeInstallation(app, config)
  const assembly = app.synth()
  const assets = new Map<string, PackagedFile>()
  // those of clusters come after what they write to
  const last = new Set(clusters.map(({ stackName }) => stackName))
  const inOrder = [false, true].flatMap((isLast) =>
    assembly.stacks.filter(({ stackName }) => last.has(stackName) === isLast),
  )
  const stacks = inOrder.map((stack): PackagedStack => {
    const { stackName, template, environment, terminationProtection } = stack
    const { free, keys } = freeOfBootstrap(template as FreeTemplate)
    for (const key of keys) {
      if (!assets.has(key)) assets.set(key, zipAsset(made, key, directory))
    }
    const { account, region } = environment
    return {
      name: stackName,
      ...write(directory, `${stackName}.template.json`, JSON.stringify(free, null, 1)),
      ...(!account.startsWith('unknown') && { account }),
      ...(!region.startsWith('unknown') && { region }),
      protected: terminationProtection === true,
      assets: keys.map((key) => `assets/${key}`),
    }
  })
  const { templateFile } = writeClusterTemplate(config, join(made, 'any'))
  cpSync(join(made, 'any', templateFile), join(directory, 'any-cluster.template.json'))
  rmSync(made, { recursive: true })
  const manifest: Manifest = {
    ...{ installation: config.name, stacks, assets: [...assets.values()] },
    anyCluster: factsOf(directory, 'any-cluster.template.json'),
  }
  write(directory, 'manifest.json', `${JSON.stringify(manifest, null, 2)}\n`)
  write(directory, 'deploy.sh', deployScript(manifest, config.account))
  chmodSync(join(directory, 'deploy.sh'), 0o755)
  return manifest
}

/** The directory `asset.HASH` as `assets/HASH.zip`. */
function zipAsset(made: string, key: string, directory: string): PackagedFile {
  const from = join(made, `asset.${key.replace(/\.zip$/, '')}`)
  const names = readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(from.length + 1))
    .sort()
  const bytes = zipOf(names.map((name) => ({ name, content: readFileSync(join(from, name)) })))
  return write(directory, `assets/${key}`, bytes)
}

function write(directory: string, file: string, content: string | Uint8Array): PackagedFile {
  writeFileSync(join(directory, file), content)
  return factsOf(directory, file)
}

function factsOf(directory: string, file: string): PackagedFile {
  const bytes = readFileSync(join(directory, file))
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { file, bytes: bytes.length, sha256 }
}
