import { pipelineFunctions, pipelineResources } from './pipeline.ts'
import type { Topology } from './types.ts'

export type { EnvValue, EventPattern, FunctionSpec, Resource, Topology, Trigger } from './types.ts'

/** All of Lanner in one account and region. */
export const topology: Topology = {
  resources: { ...pipelineResources },
  functions: [...pipelineFunctions],
}
