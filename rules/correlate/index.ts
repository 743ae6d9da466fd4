export type { Advance } from './advance.ts'
export { advance } from './advance.ts'
export type {
  Comparison,
  ComparisonOperator,
  Correlation,
  CorrelationType,
  Part,
} from './correlation.ts'
export {
  comparisonOperators,
  contextFields,
  correlationTypes,
  labelOf,
  mostParts,
  mostThreshold,
} from './correlation.ts'
export type { Contribution, Firing } from './firing.ts'
export { mostShown } from './firing.ts'
export type { FiringTemplate, TemplateProblem } from './firing-template.ts'
export { firingFields, formatFiring, isoTime, parseFiringOutput } from './firing-template.ts'
export type { CorrelationPlan, DetectionOrigin } from './plan.ts'
export { compileCorrelations, matches } from './plan.ts'
export type { RunnerOptions, RunnerResult } from './runner.ts'
export { CorrelationRunner } from './runner.ts'
export type { Json, StateItem, StateStore, StateWrite } from './state-store.ts'
export { StateUnavailable, stateValueLimit } from './state-store.ts'
export { compare } from './window.ts'
