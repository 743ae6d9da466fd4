import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, type Stack } from 'aws-cdk-lib'
import { readConfig } from '../config.ts'
import { type Installation, makeInstallation } from '../installation.ts'

export { flat } from '../stages/flat-text.ts'

/** A resource of a template. */
export interface TemplateResource {
  readonly Type: string
  readonly Properties: Readonly<Record<string, unknown>>
  readonly [other: string]: unknown
}
export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>
}

export interface Synthesised {
  readonly installation: Installation
  readonly stacks: readonly Stack[]
  /** By the name of the stack. */
  readonly templates: Readonly<Record<string, Template>>
  readonly directory: string
}

/** Synthesises an installation as `infra/app.ts` does, into a directory of its own. */
export async function synthesise(config: unknown): Promise<Synthesised> {
  const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'))
  const directory = mkdtempSync(join(tmpdir(), 'lanner-synth-'))
  const app = new App({ context, outdir: directory })
  const installation = await makeInstallation(app, readConfig(config))
  const assembly = app.synth()
  const stacks = app.node.children.filter((child): child is Stack => 'templateFile' in child)
  const templates = assembly.stacks.map(({ stackName, template }) => [stackName, template])
  return { installation, stacks, templates: Object.fromEntries(templates), directory }
}

/** Resources of a type, with their logical ids. */
export function ofType(template: Template, type: string): [id: string, TemplateResource][] {
  return Object.entries(template.Resources).filter(([, { Type }]) => Type === type)
}
