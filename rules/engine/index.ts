export type {
  Alert,
  AlertContext,
  AlertOrigin,
} from './alert.ts'
export { alertId, alertJson, alertOf, alertText } from './alert.ts'
export type { Check, Expr, FieldNode, Operand, TransformNode } from './ast.ts'
export { checkCondition } from './checks/check-condition.ts'
export type { CompileOptions, Program } from './compile-rules.ts'
export { compileRules } from './compile-rules.ts'
export type { Known, NumberRange, OtherText } from './edge-filter.ts'
export {
  couldMatch,
  relaxRules,
  unknown,
  wantedEventTypes,
  wantedOpenClasses,
} from './edge-filter.ts'
export { eventTypesOf } from './event-types-of.ts'
export type { BoundOutput, JsonValue } from './format-output.ts'
export { bindOutput, formatOutput } from './format-output.ts'
export { interpret } from './interpret.ts'
export type { OutputResult, OutputTemplate } from './output-template.ts'
export { parseOutput } from './output-template.ts'
export type { ParseResult } from './parse.ts'
export { parseCondition } from './parse.ts'
export { printAsFalco, printCondition } from './print.ts'
export type { Problem, ProblemCode } from './problem.ts'
export type { Macros } from './resolve-macros.ts'
export { resolveMacros } from './resolve-macros.ts'
export type { ExtraField, Priority, Rule, RuleMatching } from './rule.ts'
export { parsePriority, priorityNames } from './rule.ts'
export { fatalInFalco, strictCondition } from './strict-compat.ts'
export { eachCheck, eachOperandOf, macrosOf } from './walk.ts'
export type { Reasoning } from './why.ts'
export { decidingChecks, reasonOf } from './why.ts'
