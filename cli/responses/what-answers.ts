import { type Mode, mismatch, modeOf, type ResponsePolicy, type ResponseRule } from '#responses'
import { newResponses } from '../../lambdas/respond/machine/begin.ts'
import { guardsOf } from '../../lambdas/respond/plan/guards.ts'
import type { IncidentMessage } from '../../lambdas/shared/bus-messages.ts'
import { actionText } from './action-text.ts'

/** What becomes of a rule of the policy for an incident. */
export interface RuleAnswer {
  readonly rule: string
  readonly line: number
  readonly answers: boolean
  /** Why it does not answer. */
  readonly reason?: string
  readonly mode?: Mode
  /** Why the mode is lower than the policy says. */
  readonly lowered?: string
  readonly expiresSeconds?: number
  readonly approveSeconds?: number
  readonly steps?: readonly StepAnswer[]
}

export interface StepAnswer {
  readonly name: string
  readonly does: string
  /** What speaks against it already without the cluster; `never`: it is not done. */
  readonly guards: readonly { readonly level: 'never' | 'person'; readonly reason: string }[]
  /** Why it is not reached. */
  readonly ends?: string
}

export interface Answers {
  /** Why nothing is answered, whatever the policy says. */
  readonly nothing?: string
  readonly rules: readonly RuleAnswer[]
}

/** Guards that the identity of the pod decides; the others look at the cluster. */
const known = ['namespace', 'label', 'mirror', 'ignored', 'daemon-set']

/**
 * What the policy answers an incident with, as the function decides it, and why. What is up to the cluster
 * (last replicas, budgets, siblings, whether the API server takes the calls) is not known here.
 */
export function whatAnswers(policy: ResponsePolicy, message: IncidentMessage): Answers {
  const nothing = whyNothing(message)
  const began = new Map(newResponses(message, policy, 0).map((state) => [state.rule.name, state]))
  const { incident, detection } = message
  let ended: string | undefined
  const rules = policy.rules.map((rule): RuleAnswer => {
    const about = { rule: rule.name, line: rule.at.line }
    const no = (reason: string) => ({ ...about, answers: false, reason })
    if (ended !== undefined) return no(`"${ended}" ended the search`)
    const reason =
      detection === undefined ? 'there is no detection' : mismatch(rule.match, detection)
    if (reason !== undefined) return no(reason)
    if (!rule.continue) ended = rule.name
    const state = began.get(rule.name)
    const mode = modeOf(policy, rule, incident.cluster, incident.pod?.namespace ?? '')
    if (state === undefined) return no(nothing ?? `its mode is ${mode} here`)
    return {
      ...{ ...about, answers: true, mode: state.mode },
      ...(state.lowered !== undefined && { lowered: `${state.lowered}: not ${mode}` }),
      ...{ expiresSeconds: rule.expiresSeconds, approveSeconds: rule.approveSeconds },
      steps: stepsOf(rule, policy, message),
    }
  })
  return { ...(nothing !== undefined && { nothing }), rules }
}

function whyNothing({ incident }: IncidentMessage): string | undefined {
  if (incident.suppressed !== undefined) return `it is suppressed: ${incident.suppressed.reason}`
  if (incident.state === 'closed') return 'the incident is closed'
  if (incident.pod?.uid !== undefined) return undefined
  const { container, pod } = incident
  if (container !== undefined) {
    return 'the uid of the pod is not known: the function looks for the one pod of the node with its container'
  }
  return pod === undefined
    ? 'it is about no pod: responses act on pods and their nodes'
    : 'the uid of the pod is not known'
}

function stepsOf(
  rule: ResponseRule,
  { protect }: ResponsePolicy,
  { incident }: IncidentMessage,
): StepAnswer[] {
  const { name = '', namespace = '', labels = {}, workload } = incident.pod ?? {}
  const world = {
    pod: { metadata: { name, namespace, labels }, spec: { containers: [] } },
    ...{
      namespaceLabels: {},
      ownerKind: workload?.split('/')[0],
      desired: undefined,
      replicas: [],
    },
    ...{ budgets: [], siblings: [], node: undefined, openNodes: 2 },
  } as unknown as Parameters<typeof guardsOf>[1]
  let ends: string | undefined
  return rule.steps.map(({ name: step, action, continue: goesOn, ignoreErrors }): StepAnswer => {
    const guards = guardsOf(action, world, protect)
      .filter(({ guard }) => known.includes(guard))
      .map(({ level, reason }) => ({ level, reason }))
    const answer = {
      ...{ name: step, does: actionText(action), guards },
      ...(ends !== undefined && { ends }),
    }
    const isDone = action.kind !== 'unsupported' && guards.every(({ level }) => level !== 'never')
    if (!isDone && !ignoreErrors) ends ??= `the step before it, "${step}", is not done`
    if (!goesOn) ends ??= `the rule ends after "${step}"`
    return answer
  })
}
