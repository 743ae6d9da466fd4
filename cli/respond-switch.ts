import { parseArgs } from 'node:util'
import { switchWord } from '../lambdas/respond/requests.ts'
import { askRespond, signAs } from './ask-respond.ts'
import { awsProblem } from './aws-problem.ts'
import { type Io, UsageError } from './io.ts'
import { printable } from './printable.ts'

export const usage = `usage: lanner respond stop|go --reason TEXT [--function NAME]

Stops all responses everywhere, or lets them go on. It is read before each act; what was done already
is undone at its time all the same. Counts if the function's APPROVERS name who asks.`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args)
  const [ask, ...more] = positionals
  if ((ask !== 'stop' && ask !== 'go') || more.length > 0) throw new UsageError('stop or go')
  const { reason } = values
  if (reason === undefined || reason === '') throw new UsageError('--reason is needed')
  try {
    const signed = await signAs({ response: ask, planHash: switchWord })
    const answer = await askRespond(values.function ?? 'lanner-respond', { ask, reason, signed })
    if (answer.ok) io.out(ask === 'stop' ? 'all responses are stopped\n' : 'responses go on\n')
    else io.err(`lanner respond: ${printable(answer.problem)}\n`)
    return answer.ok ? 0 : 1
  } catch (error) {
    const problem = awsProblem(error) ?? (error as Error).message
    io.err(`lanner respond: ${printable(problem)}\n`)
    return 2
  }
}

function parse(args: readonly string[]) {
  try {
    const options = { reason: { type: 'string' }, function: { type: 'string' } } as const
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0]!)
  }
}
