import { pipelineFunctions, pipelineResources } from './pipeline.ts'
import { respondFunctions, respondResources } from './respond.ts'
import { routingFunctions, routingResources } from './routing.ts'
import type { Topology } from './types.ts'

export type {
  EnvValue,
  EventPattern,
  FunctionSpec,
  Resource,
  Setting,
  Topology,
  Trigger,
} from './types.ts'

/**
 * What is deployed together, in order: a part may name what the parts before it make, and not the other
 * way round.
 */
export const parts = {
  pipeline: { resources: pipelineResources, functions: pipelineFunctions },
  /** From the bus to people. */
  routing: { resources: routingResources, functions: routingFunctions },
  /** From the bus to the Kubernetes API. */
  response: { resources: respondResources, functions: respondFunctions },
} as const satisfies Readonly<Record<string, Topology>>
export type PartName = keyof typeof parts

/** Some of the parts as one. */
export function mergeParts(names: readonly PartName[]): Topology {
  return {
    resources: Object.assign({}, ...names.map((name) => parts[name].resources)),
    functions: names.flatMap((name) => (parts[name] as Topology).functions),
  }
}

/** All of Lanner in one account and region. */
export const topology: Topology = mergeParts(Object.keys(parts) as PartName[])
