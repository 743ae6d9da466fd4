export type { Automatic, ModeChange, PolicyDifference } from './compare-policies.ts'
export { automaticIn, comparePolicies } from './compare-policies.ts'
export type { Matched } from './match-response.ts'
export { fits, fitsPattern, lower, mismatch, modeOf, responsesTo } from './match-response.ts'
export type {
  Action,
  ActionKind,
  FieldTest,
  Limits,
  MinHealthy,
  Mode,
  ModeRule,
  Protection,
  Rate,
  ResponseMatch,
  ResponsePolicy,
  ResponseRule,
  ResponseStep,
  RiskClass,
} from './policy.ts'
export {
  defaultLimits,
  defaultMode,
  defaultProtection,
  modes,
  riskOf,
} from './policy.ts'
export type { LoadedResponses, Unsupported } from './read-responses.ts'
export { readResponses } from './read-responses.ts'
