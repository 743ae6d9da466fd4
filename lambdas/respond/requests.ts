import { detailTypes } from '../shared/bus-messages.ts'
import { whoSigned } from './access/approval-token.ts'
import { killSwitch, setKillSwitch } from './machine/control.ts'
import type { Ports } from './machine/ports.ts'
import type { Responder } from './machine/responder.ts'
import { stepTexts } from './machine/response-state.ts'

/** What people ask of the function, each signed by who asks. */
export type PeopleRequest =
  | { readonly ask: 'show'; readonly response: string }
  | {
      readonly ask: 'approve'
      readonly response: string
      readonly planHash: string
      readonly signed: string
    }
  | { readonly ask: 'release'; readonly response: string; readonly signed: string }
  | { readonly ask: 'stop' | 'go'; readonly reason: string; readonly signed: string }

export type PeopleAnswer =
  | { readonly ok: true; readonly [key: string]: unknown }
  | { readonly ok: false; readonly problem: string }

type AskSts = Parameters<typeof whoSigned>[2]

/** Words in place of a plan's hash, for what is no approval of a plan. */
export const releaseWord = 'release'
export const switchWord = 'kill-switch'

/** Does what somebody asks for, when the signature says who that is and the approvers name them. */
export async function answerPeople(
  request: PeopleRequest,
  responder: Responder,
  ports: Ports,
  askSts: AskSts,
): Promise<PeopleAnswer> {
  const refuse = (problem: string) => ({ ok: false, problem }) as const
  const done = (problem: string | undefined): PeopleAnswer =>
    problem === undefined ? { ok: true } : refuse(problem)
  if (request.ask === 'show') {
    const state = await responder.read(String(request.response))
    if (state === undefined) return refuse(`there is no response ${request.response}`)
    const {
      problem,
      plan,
      planHash,
      phase,
      ending,
      approveBy,
      lines,
      outcome,
      next,
      evidence,
      target,
      rule,
      cluster,
    } = state
    return {
      ok: true,
      ...{ phase, ending, planHash, approveBy, outcome, next, evidence, target, cluster },
      ...{ rule: rule.name, lines, problem, stopped: await killSwitch(ports) },
      does: plan === undefined ? [] : stepTexts(plan),
      guards: plan?.guards ?? [],
      residualAllows: plan?.residualAllows ?? [],
      blastRadius: plan?.blastRadius,
    }
  }
  const signed = String(request.signed)
  switch (request.ask) {
    case 'approve': {
      const { response, planHash } = request
      const who = await whoSigned(signed, { response, planHash }, askSts)
      if (!('arn' in who)) return refuse(who.problem)
      const problem = await responder.approve(response, planHash, who.arn)
      if (problem !== undefined) return refuse(problem)
      // an approval counts for what was seen: what came of it may be something else
      const { phase, ending, lines = [] } = (await responder.read(response)) ?? {}
      const why = lines.findLast(({ type }) => type === detailTypes.failed)
      return {
        ok: true,
        phase,
        ending,
        said: (phase === 'closed' && why ? why : lines.at(-1))?.text,
      }
    }
    case 'release': {
      const { response } = request
      const who = await whoSigned(signed, { response, planHash: releaseWord }, askSts)
      return 'arn' in who ? done(await responder.release(response, who.arn)) : refuse(who.problem)
    }
    case 'stop':
    case 'go': {
      const who = await whoSigned(signed, { response: request.ask, planHash: switchWord }, askSts)
      if (!('arn' in who)) return refuse(who.problem)
      const problem = responder.mayDecide(who.arn)
      if (problem !== undefined) return refuse(problem)
      await setKillSwitch(ports, {
        on: request.ask === 'stop',
        by: who.arn,
        reason: String(request.reason).slice(0, 300),
      })
      return { ok: true }
    }
    default:
      return refuse('nothing known is asked for')
  }
}
