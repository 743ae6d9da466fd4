import type { LannerConfig } from '../config.ts'
import type { Topology } from '../topology/types.ts'
import type { DataKeys } from './data-keys.ts'
import type { MadeResources } from './made.ts'

/** What every construct of an installation shares. */
export interface PartContext {
  readonly config: LannerConfig
  /** The whole topology, of all parts. */
  readonly topology: Topology
  readonly keys: DataKeys
  readonly made: MadeResources
}

/** The name of a thing of this installation, as people and metrics see it. */
export function nameOf({ config }: PartContext, name: string): string {
  return `${config.name}-${name}`
}
