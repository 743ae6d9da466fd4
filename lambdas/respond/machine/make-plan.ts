import { type Protection, type ResponseRule, type RiskClass, riskOf } from '#responses'
import { type PlannedAction, planAction } from '../actions/plan-action.ts'
import { type Kube, NoRole } from '../kubernetes/kube.ts'
import { type Guarded, guardsOf, readyOthers } from '../plan/guards.ts'
import type { Plan, PlannedStep, Target } from '../plan/plan.ts'
import { siblingsOf } from '../plan/siblings.ts'
import { selects, serviceSelects } from '../world/labels.ts'
import { controllerOf, type Pod } from '../world/objects.ts'
import { readWorld, type World } from '../world/read-world.ts'
import { whyNotTaken } from './dry-run.ts'

export interface Planning {
  readonly response: string
  readonly incident: string
  readonly cluster: string
  readonly target: { readonly namespace: string; readonly name: string; readonly uid: string }
  readonly rule: Pick<ResponseRule, 'name' | 'steps' | 'expiresSeconds'>
  readonly protect: Protection
}

export type PlanResult = { readonly plan: Plan } | { readonly gone: string }

/** The way to a cluster with the rights of a risk class. */
export type Kubes = (risk: RiskClass) => Promise<Kube>

/**
 * Looks at the cluster and says what a response would do: each call word for word, how it is taken
 * back, whom it hits, what it leaves open, what speaks against it. Each call is tried on the API server
 * without effect. Changes nothing, and gives the same plan while the world is the same.
 */
export async function makePlan(planning: Planning, kubes: Kubes): Promise<PlanResult> {
  const { response, incident, cluster, rule, protect } = planning
  const read = await readWorld(await kubes('read'), planning.target)
  if ('gone' in read) return read
  const { world } = read
  const siblings = siblingsOf(world.pod, world.onNode)
  const guards = new Map<string, Guarded>()
  const steps: PlannedStep[] = []
  let residual: Plan['residualAllows'] = []
  let stopped: string | undefined
  let isNodeClosed = world.node?.spec?.unschedulable === true
  for (const { name, action, continue: goesOn, ignoreErrors } of rule.steps) {
    const risk = riskOf(action)
    const planned = planAction(action, { world, response, incident, isNodeClosed })
    const found: Guarded[] = [
      ...guardsOf(action, { ...world, siblings }, protect),
      ...(planned.person ?? []).map(
        (reason): Guarded => ({ level: 'person', guard: 'owner', reason }),
      ),
    ]
    for (const guard of found) guards.set(`${guard.guard} ${guard.reason}`, guard)
    const never = found.filter(({ level }) => level === 'never').map(({ reason }) => reason)
    if (action.kind === 'unsupported') never.push(action.reason)
    const refused = stopped ?? (never.length > 0 ? never.join('; ') : undefined)
    const wouldFail = refused === undefined ? await tryCalls(planned, risk, kubes) : undefined
    steps.push({
      ...{ name, action, risk, ignoreErrors, continue: goesOn },
      ...(refused === undefined
        ? { calls: planned.calls, inverse: planned.inverse, effects: planned.effects }
        : { calls: [], inverse: [], effects: [], refused }),
      ...(refused === undefined &&
        planned.elsewhere !== undefined && { elsewhere: planned.elsewhere }),
      ...(wouldFail !== undefined && { wouldFail }),
    })
    if (planned.residualAllows !== undefined && refused === undefined) {
      residual = planned.residualAllows
    }
    const isDone = refused === undefined && wouldFail === undefined
    if (isDone && action.kind === 'cordon') isNodeClosed = true
    if (isDone && action.kind === 'uncordon') isNodeClosed = false
    if (!isDone && !ignoreErrors) stopped ??= `the step before it, "${name}", is not done`
    if (!goesOn) stopped ??= `the rule ends after "${name}"`
  }
  return {
    plan: {
      ...{ version: 1, response, incident, cluster, rule: rule.name },
      target: targetOf(world),
      steps,
      blastRadius: blastRadiusOf(world, siblings),
      residualAllows: residual,
      guards: [...guards.values()],
      expiresSeconds: rule.expiresSeconds,
    },
  }
}

/** What the API server says against the calls of a step; `undefined` when nothing. */
async function tryCalls(
  { calls }: PlannedAction,
  risk: RiskClass,
  kubes: Kubes,
): Promise<string | undefined> {
  for (const call of calls) {
    if (call.via !== 'kubernetes') continue
    try {
      const reason = await whyNotTaken(await kubes(risk), call)
      if (reason !== undefined) return reason
    } catch (error) {
      if (error instanceof NoRole) return error.message
      throw error
    }
  }
  return undefined
}

function targetOf({ pod }: World): Target {
  const { namespace = '', name, uid = '', labels = {} } = pod.metadata
  const owner = controllerOf(pod)
  return {
    ...{ namespace, name, uid, node: pod.spec.nodeName ?? '' },
    ...(owner !== undefined && {
      owner: { kind: owner.kind, name: owner.name, uid: owner.uid },
    }),
    serviceAccount: pod.spec.serviceAccountName ?? '',
    containers: containerIds(pod),
    labels,
  }
}

/** As the collector names them: twelve characters, without the runtime. */
export function containerIds({ status }: Pod): string[] {
  return [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ]
    .flatMap(({ containerID }) => containerID?.replace(/^[^/]*:\/\//, '').slice(0, 12) || [])
    .sort()
}

function blastRadiusOf(world: World, siblings: readonly Pod[]): Plan['blastRadius'] {
  const { pod, services, budgets } = world
  const labels = pod.metadata.labels ?? {}
  const names = (objects: readonly { readonly metadata: { readonly name: string } }[]) =>
    objects.map(({ metadata }) => metadata.name).sort()
  return {
    siblings: names(siblings),
    services: names(services.filter(({ spec }) => serviceSelects(spec.selector, labels))),
    budgets: names(budgets.filter(({ spec }) => selects(spec.selector, labels))),
    readyReplicas: readyOthers(world),
  }
}
