import { assumed, measured } from './measured.ts'
import { costOf, nodeCost, type Term, terms, usageOf } from './model.ts'
import { guardDuty, prices } from './prices.ts'

const sizes = [50, 500, 5000]
const rates = [20, 200, 2000]
const shares = [measured.shippedShare, 0.005, 0.02, 0.1]

/** The cost model as Markdown. */
export function report(): string {
  return `# What Lanner costs

Made by \`npx node infra/cost/main.ts\`; a test fails when this page is not what it prints. Dollars a node and month, list prices of us-east-1
(\`infra/cost/prices.ts\`), one region, nodes of 8 vCPUs. Events are those that enter the edge filter of a node; what of them is shipped was
${percent(measured.shippedShare)} of the recorded mixed trace with the official rules. The larger shares are for rules that ask what only the cloud knows.
Detections come at the measured rate throughout: ${percent(measured.matchingShare)} of all events, far more than a tuned rule set makes.

${shares.map(table).join('\n')}
**Bold** is dearer than GuardDuty EKS Runtime Monitoring at the same size. The goal, below it up to 200 events a second at every size, is
${isGoalMet() ? 'met in every cell of these tables' : `met at ${percent(measured.shippedShare)}; missed where bold`}.

Detections decide more than what is shipped. If every shipped event were one, as with rules that are not tuned, state alone would cost a node
at 200 events a second ${shares
    .slice(1)
    .map((share) => `$${stateOf(share).toFixed(2)} at ${percent(share)}`)
    .join(', ')}.

## Where it goes

Shipping ${percent(measured.shippedShare)}, 200 events a second:

| | ${sizes.map((nodes) => `${nodes} nodes`).join(' | ')} |
|---|${sizes.map(() => '---|').join('')}
${terms.map((term) => breakdown(term)).join('\n')}
| shards, records/s | ${sizes.map(load).join(' | ')} |

On the node itself: ${(measured.agentCore * 100).toFixed(1)} % of a core at 57 events a second is $${(prices.vcpuMonth * measured.agentCore).toFixed(2)} a month, and 1 % of a core, under a
flood of file opens, $${(prices.vcpuMonth * 0.01).toFixed(2)}: not in the tables, as it is not on the bill.

## Levers

1. Fewer detections: each costs ${measured.writeUnits} write units. Tuned rules and suppressions at the node weigh more than all that follows.
2. Lake: Firehose bills 5 KB a record. Where nobody replays batches, leave the resource \`delivery\` out.
3. Batches: \`batch.wait\` of 5 s instead of 1 s divides records, invocations and the lake's rounding for busy nodes by up to five.
4. Endpoints: three zones a cluster are $${(assumed.zones * 730 * prices.vpcEndpointHour).toFixed(2)} a month; small clusters share those they have.
5. Provisioned shards, as here; on demand is several times dearer for a steady load.

## What is assumed

Headroom ${assumed.headroom} of the stream, ${assumed.memoryGb} GB of memory, ${assumed.lakeDays} days of lake, clusters of ${assumed.nodesACluster} nodes, ${assumed.logBytes} bytes of log an invocation. Not in
it: routing and responses (a few cents), data transfer between regions, support.
`
}

function table(shipped: number): string {
  const head = rates.map((rate) => `${rate.toLocaleString('en')} events/s`).join(' | ')
  const rows = sizes.map((nodes) => {
    const bar = guardDuty(nodes)
    const cells = rates.map((rate) => {
      const { perNode, largest, share } = nodeCost({ nodes, rate, shipped })
      const price = perNode > bar ? `**${perNode.toFixed(2)}**` : perNode.toFixed(2)
      return `${price} (${largest} ${(share * 100).toFixed(0)} %)`
    })
    return `| ${nodes.toLocaleString('en')} | ${cells.join(' | ')} | ${bar.toFixed(2)} |`
  })
  return `### ${percent(shipped)} shipped

| nodes | ${head} | GuardDuty |
|---|${rates.map(() => '---|').join('')}---|
${rows.join('\n')}
`
}

function breakdown(term: Term): string {
  const cells = sizes.map((nodes) => {
    const dollars = costOf({ nodes, rate: 200, shipped: measured.shippedShare })[term]
    return (dollars / nodes).toFixed(3)
  })
  return `| ${term} | ${cells.join(' | ')} |`
}

function load(nodes: number): string {
  const { shards, records } = usageOf({ nodes, rate: 200, shipped: measured.shippedShare })
  return `${shards}, ${records.toFixed(0)}`
}

/** Dollars a month of write units of a node at 200 events a second, if all that is shipped matched. */
function stateOf(share: number): number {
  const aMonth = (200 * share * measured.writeUnits * 730 * 3600) / 1e6
  return aMonth * prices.dynamoWriteUnits
}

/** Whether the goal holds for whatever share is shown. */
export function isGoalMet(): boolean {
  return shares.every((shipped) =>
    sizes.every((nodes) =>
      rates
        .filter((rate) => rate <= 200)
        .every((rate) => nodeCost({ nodes, rate, shipped }).perNode <= guardDuty(nodes)),
    ),
  )
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`
}
