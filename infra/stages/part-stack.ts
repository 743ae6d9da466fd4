import { CfnOutput, Fn, Stack, type StackProps } from 'aws-cdk-lib'
import type { Code } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import type { StageContract } from '../../lambdas/shared/contract.ts'
import { functionEndpointServices } from '../endpoints.ts'
import type { Resource, Topology } from '../topology/types.ts'
import { LakeDelivery } from './delivery-stream.ts'
import { makeBus, makeQueue, makeSchedules, makeSecret, makeTopic } from './messages.ts'
import type { PartContext } from './part-context.ts'
import { StageFunction } from './stage-function.ts'
import { makeBucket, makeStream, makeTable } from './storage.ts'
import { addTriggers, makeRule } from './triggers.ts'

export interface PartStackProps extends StackProps {
  readonly part: Topology
  readonly context: PartContext
  readonly contracts: Readonly<Record<string, StageContract>>
  /** The bundle of each stage. */
  readonly code: (stage: string) => Code
}

/** One part of the topology: its resources, its functions, and what leads from the one to the other. */
export class PartStack extends Stack {
  readonly functions = new Map<string, StageFunction>()
  readonly deliveries: readonly LakeDelivery[]

  constructor(scope: Construct, id: string, props: PartStackProps) {
    super(scope, id, props)
    const { part, context, contracts, code } = props
    const resources = Object.entries(part.resources)
    // Those that name others come after them.
    const inOrder = [...resources].sort(([, a], [, b]) => rank(a) - rank(b))
    for (const [name, resource] of inOrder) this.#make(name, resource, context)
    for (const [name] of inOrder) if (outputs[name] !== undefined) this.#output(name, context)
    for (const spec of part.functions) {
      const contract = contracts[spec.stage]!
      const stage = new StageFunction(this, { spec, contract, code: code(spec.stage), context })
      addTriggers(stage, spec, context)
      this.functions.set(spec.stage, stage)
    }
    if (context.config.vpc !== undefined) this.#endpoints(props)
    this.deliveries = resources.flatMap(([name, resource]) => {
      if (resource.kind !== 'delivery') return []
      const by = this.functions.get(resource.by)!.function
      return [new LakeDelivery(this, { name, resource, by, context })]
    })
  }

  #make(name: string, resource: Resource, context: PartContext): void {
    const { made } = context
    switch (resource.kind) {
      case 'stream':
        made.add(name, makeStream(this, name, resource, context))
        break
      case 'table':
        made.add(name, makeTable(this, name, resource, context))
        break
      case 'bucket':
        made.add(name, makeBucket(this, name, resource, context))
        break
      case 'bus':
        made.add(name, makeBus(this, name, resource, context))
        break
      case 'queue':
        for (const [one, queue] of makeQueue(this, name, resource, context)) made.add(one, queue)
        break
      case 'topic':
        made.add(name, makeTopic(this, name, resource, context))
        break
      case 'secret':
        made.add(name, makeSecret(this, name, resource, context))
        break
      case 'schedules':
        made.add(name, makeSchedules(this, name, resource, context))
        break
      case 'external':
        made.add(name, this.#external(resource, context.config.name))
        break
      case 'route':
        makeRule(this, name, {
          ...{ context, name, bus: made.get(resource.bus), target: made.get(resource.to).arn },
          ...{ pattern: resource.pattern, retries: resource.retries },
          ...{ maxAge: resource.maxAgeSeconds, dead: made.get(resource.dead) },
        })
        break
      case 'delivery':
        // After its function.
        break
    }
  }

  /** What the network of functions needs when it leads nowhere else. */
  #endpoints({ part, contracts, context }: PartStackProps): void {
    const place = { region: this.region, fips: context.config.fips }
    const inside = part.functions.filter(({ reach }) => reach === 'vpc')
    if (inside.length === 0) return
    const actions = inside.flatMap(({ stage }) =>
      contracts[stage]!.permissions.flatMap((permission) => permission.actions),
    )
    new CfnOutput(this, 'VpcEndpoints', {
      description: 'Services that functions in a network without a way out need an endpoint for',
      value: Fn.join(', ', functionEndpointServices(place, actions)),
    })
  }

  /** Names that people and commands ask for. */
  #output(name: string, { made }: PartContext): void {
    new CfnOutput(this, outputs[name]!, { value: made.get(name).value })
  }

  #external({ kind, arn }: Resource & { readonly kind: 'external' }, installation: string) {
    const text = arn
      .replaceAll('PARTITION', this.partition)
      .replaceAll('REGION', this.region)
      .replaceAll('ACCOUNT', this.account)
      .replaceAll('INSTALLATION', installation)
    return { kind, arn: text, value: text }
  }
}

/** Outputs by the resource whose name they give. */
const outputs: Readonly<Record<string, string>> = {
  ...{ rules: 'RulesBucket', lake: 'LakeBucket', table: 'Table', bus: 'Bus', stream: 'Stream' },
  ...{ responses: 'ResponsesTable', evidence: 'EvidenceBucket' },
}

function rank({ kind }: Resource): number {
  if (kind === 'schedules' || kind === 'bus') return 1
  return kind === 'route' ? 2 : 0
}
