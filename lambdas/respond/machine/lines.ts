import { detailTypes, type ResponseMessage } from '../../shared/bus-messages.ts'
import type { Ports } from './ports.ts'
import { type Change, type Line, type ResponseState, stepTexts } from './response-state.ts'

const longestText = 4000

/** A response after a change, with what the change says as further lines. `now` in seconds. */
export function changed(
  state: ResponseState,
  { set, say = [] }: Change,
  now: number,
): ResponseState {
  const next = { ...state, ...set }
  const lines = say.map(
    ({ type, text }): Line => ({
      ...{ at: now, type, phase: next.phase, text: text.slice(0, longestText) },
    }),
  )
  return { ...next, lines: [...state.lines, ...lines] }
}

/** Says what is not said yet; said twice after an interruption, it has the same ids. */
export async function sayOpenLines(state: ResponseState, say: Ports['say']): Promise<void> {
  const open = state.lines.slice(state.said)
  if (open.length === 0) return
  await say(
    open.map((line, i) => ({
      ...{ type: line.type, detail: messageOf(state, line, state.said + i), time: isoOf(line.at) },
    })),
  )
}

function messageOf(state: ResponseState, line: Line, n: number): ResponseMessage {
  const { id, incident, cluster, rule, mode, target, plan, planHash, outcome, next, evidence } =
    state
  const asks = line.type === detailTypes.planned && state.phase === 'awaiting' && plan !== undefined
  return {
    id: `${id}-${n}`,
    response: id,
    ...{ incident, cluster, rule: rule.name, mode, phase: line.phase, target },
    ...{ text: line.text, time: isoOf(line.at) },
    ...(asks && {
      approve: { planHash: planHash!, until: isoOf(state.approveBy!), does: stepTexts(plan) },
    }),
    ...(outcome !== undefined && { outcome }),
    ...(next !== undefined && { next }),
    ...(evidence !== undefined && { evidence }),
  }
}

function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
