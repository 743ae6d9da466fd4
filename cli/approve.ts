import { parseArgs } from 'node:util'
import { releaseWord } from '../lambdas/respond/requests.ts'
import { askRespond, signAs } from './ask-respond.ts'
import { awsProblem } from './aws-problem.ts'
import { type Io, UsageError } from './io.ts'
import { printable } from './printable.ts'

export const usage = `usage: lanner approve RESPONSE [--plan HASH] [OPTION]...

Shows what a response would do, and approves it with --plan: that plan and no other, as the IAM
principal of the AWS environment. The approval is signed here and checked by STS; it counts if the
function's APPROVERS name the principal, the plan still waits, and the cluster is as it was planned for.

  --plan HASH               approve this plan
  --release                 undo what the response did, now, as far as it is still ours
  --function NAME           the function: lanner-respond
  --json                    for machines`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args)
  const [response, ...more] = positionals
  if (response === undefined) throw new UsageError('the id of a response is missing')
  if (more.length > 0) throw new UsageError(`unexpected argument "${more[0]}"`)
  if (values.plan !== undefined && values.release === true) {
    throw new UsageError('--plan and --release are two different things')
  }
  const name = values.function ?? 'lanner-respond'
  try {
    const answer =
      values.plan !== undefined
        ? await askRespond(name, {
            ...{ ask: 'approve', response, planHash: values.plan },
            signed: await signAs({ response, planHash: values.plan }),
          })
        : values.release === true
          ? await askRespond(name, {
              ...{ ask: 'release', response },
              signed: await signAs({ response, planHash: releaseWord }),
            })
          : await askRespond(name, { ask: 'show', response })
    if (values.json === true) io.out(`${JSON.stringify(answer)}\n`)
    else if (!answer.ok) io.err(`lanner approve: ${printable(answer.problem)}\n`)
    else if (values.plan !== undefined) return tellApproved(answer as unknown as Approved, io)
    else if (values.release === true) io.out('released\n')
    else io.out(shown(response, answer as unknown as Shown))
    return answer.ok ? 0 : 1
  } catch (error) {
    const problem = awsProblem(error) ?? (error as Error).message
    io.err(`lanner approve: ${printable(problem)}\n`)
    return 2
  }
}

interface Approved {
  readonly phase?: string
  readonly ending?: string
  readonly said?: string
}

/** Says what came of an approval so far; 1 when nothing is done about it. */
function tellApproved({ phase = 'unknown', ending, said = '' }: Approved, io: Io): number {
  const isOff = phase === 'awaiting' || (ending !== undefined && !good.has(ending))
  const now = `it is ${phase === 'closed' ? ending : phase} now`
  if (isOff) io.err(`lanner approve: approved, but ${now}: ${printable(said)}\n`)
  else io.out(`approved: ${now}\n`)
  return isOff ? 1 : 0
}

const good: ReadonlySet<string> = new Set(['done', 'expired'])

interface Shown {
  readonly phase: string
  readonly ending?: string
  readonly planHash?: string
  readonly approveBy?: number
  readonly cluster: string
  readonly rule: string
  readonly target: { readonly namespace: string; readonly name: string; readonly uid: string }
  readonly does: readonly string[]
  readonly guards: readonly { readonly level: string; readonly reason: string }[]
  readonly residualAllows: readonly { readonly by: string; readonly what: string }[]
  readonly blastRadius?: Readonly<Record<string, readonly string[] | number>>
  readonly lines: readonly { readonly at: number; readonly text: string }[]
}

/** What a person has to know before they approve. Names may come from an attacker. */
export function shown(response: string, state: Shown): string {
  const { target, cluster, phase, ending, approveBy, planHash, blastRadius = {} } = state
  const time = (seconds: number) => new Date(seconds * 1000).toISOString()
  const lines = [
    `${state.rule}: ${target.uid === '' ? 'no pod' : `${target.namespace}/${target.name} (${target.uid})`} in ${cluster}: ${ending ?? phase}`,
    ...state.does.map((text) => `  does    ${text}`),
    ...Object.entries(blastRadius).map(([what, whom]) => {
      const list = typeof whom === 'number' ? `${whom}` : whom.join(', ') || 'none'
      return `  hits    ${what}: ${list}`
    }),
    ...state.residualAllows.map(({ by, what }) => `  leaves  ${by}: ${what}`),
    ...state.guards.map(({ level, reason }) => `  mind    ${reason} (${level})`),
    ...state.lines.map(({ at, text }) => `  ${time(at)} ${text}`),
  ]
  if (phase === 'awaiting' && planHash !== undefined) {
    lines.push(`until ${time(approveBy ?? 0)}: lanner approve ${response} --plan ${planHash}`)
  }
  return `${lines.map(printable).join('\n')}\n`
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        plan: { type: 'string' },
        release: { type: 'boolean' },
        function: { type: 'string' },
        json: { type: 'boolean' },
      },
      allowPositionals: true,
    })
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0]!)
  }
}
