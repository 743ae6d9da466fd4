import { parseArgs } from 'node:util'
import { checkCluster } from '../lambdas/respond/cluster/check-cluster.ts'
import { kubeOfConfig } from '../lambdas/respond/cluster/kubeconfig.ts'
import { type Io, paint, UsageError } from './io.ts'
import { printable } from './printable.ts'

export const usage = `usage: lanner doctor cluster [--kubeconfig FILE] [--context NAME] [--json]

Says whether a cluster has what responses need: a version with admission policies, a network plugin that
enforces policies, the roles of the risk classes, the guards in the API server; and what responses
hold in it now. Reads only. Whether
policies really hold no API tells: the proof after the first quarantine does. Exit code 1 when something
is missing.

  --kubeconfig FILE         else KUBECONFIG, or ~/.kube/config
  --context NAME            another than its current one
  --json                    for machines`

const styles = { ok: 'green', limited: 'yellow', missing: 'red' } as const

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values } = parse(args)
  try {
    const checks = await checkCluster(kubeOfConfig(values.kubeconfig, values.context))
    if (values.json === true) io.out(`${JSON.stringify({ checks })}\n`)
    else {
      for (const { name, state, detail, advice } of checks) {
        const mark = paint(state.padEnd(8), styles[state], io)
        io.out(`${mark} ${name.padEnd(17)} ${printable(detail)}\n`)
        if (advice !== undefined) io.out(`${' '.repeat(27)}${advice}\n`)
      }
    }
    return checks.some(({ state }) => state === 'missing') ? 1 : 0
  } catch (error) {
    io.err(`lanner doctor cluster: ${printable((error as Error).message)}\n`)
    return 2
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        kubeconfig: { type: 'string' },
        context: { type: 'string' },
        json: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0]!)
  }
}
