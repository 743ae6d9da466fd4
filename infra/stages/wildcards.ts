import {
  DefaultTokenResolver,
  type IPostProcessor,
  type IResolvable,
  type IResolveContext,
  Reference,
  Stack,
  Tokenization,
} from 'aws-cdk-lib'
import { CfnPolicy } from 'aws-cdk-lib/aws-iam'
import type { IConstruct } from 'constructs'
import { acknowledge } from './acknowledge.ts'
import { flat } from './flat-text.ts'

/**
 * Acknowledges every wildcard of a resource in the policies below a scope, with its reason. Throws on one
 * that has none, and on a wildcard of an action: there is none.
 */
export function explainWildcards(scope: IConstruct): void {
  const unexplained: string[] = []
  for (const node of scope.node.findAll()) {
    if (!CfnPolicy.isCfnPolicy(node)) continue
    const { Statement } = withExports(node, node.policyDocument) as {
      readonly Statement: readonly {
        readonly Action: string | string[]
        readonly Resource: unknown
      }[]
    }
    const actions = Statement.flatMap(({ Action }) => Action).filter((one) => one.includes('*'))
    unexplained.push(...actions.map((action) => `${node.node.path}: ${action}`))
    const resources = Statement.flatMap(({ Resource }) => [Resource].flat().map(flat))
    for (const resource of new Set(resources.filter((one) => one.includes('*')))) {
      const [, reason] = wildcardReasons.find(([pattern]) => pattern.test(resource)) ?? []
      if (reason === undefined) unexplained.push(`${node.node.path}: ${resource}`)
      else {
        // as cdk-nag writes what another stack exports
        const text = resource.replaceAll(/<([^<>]+:Exports[^<>]+)>/g, '$1')
        acknowledge(node, [`AwsSolutions-IAM5[Resource::${text}]`], reason)
      }
    }
  }
  if (unexplained.length > 0) {
    throw new Error(`infra/stages/wildcards.ts has no reason for:\n  ${unexplained.join('\n  ')}`)
  }
}

/** A value as the template will have it: what is of another stack is an export of that. */
function withExports(scope: CfnPolicy, value: unknown): unknown {
  const own = Stack.of(scope)
  class Exporting extends DefaultTokenResolver {
    override resolveToken(
      token: IResolvable,
      context: IResolveContext,
      postProcessor: IPostProcessor,
    ): unknown {
      const stack = Reference.isReference(token) ? Stack.of(token.target) : own
      if (stack === own) return super.resolveToken(token, context, postProcessor)
      return context.resolve(stack.exportValue(token))
    }
  }
  const resolver = new Exporting({
    join: (left, right) =>
      [left, right].map((part) => (part === undefined ? '' : flat(part))).join(''),
  })
  return Tokenization.resolve(value, { scope, resolver, preparing: false })
}

/**
 * Every wildcard of a resource in a statement of IAM, and why it is no wider than it must be. The texts
 * are those of cdk-nag: what CloudFormation fills in stands between < and >.
 */
export const wildcardReasons: readonly (readonly [resource: RegExp, reason: string])[] = [
  [
    /:log-group:\/aws\/lambda\/[\w-]+:log-stream:\*$/,
    'streams of its own log group have names of Lambda',
  ],
  [/^\*$/, 'X-Ray knows no resources; network interfaces get their ids when they are made'],
  [/>\/[\w/-]*\*$/, 'objects of one bucket, below the prefix that the contract names'],
  [/:schedule\/[\w-]+\/[\w-]*\*$/, 'one-time schedules of one group have names of incidents'],
  [/:key\/\*$/, 'the key of telemetry alone, by its alias: its id is not known in other accounts'],
  [
    /:secret:[\w-]+\/notify\/[\w-]+\*$/,
    'secrets of one kind of destinations, which routes name; their ARNs end in characters of Secrets Manager',
  ],
  [
    /:iam::\*:role\/[\w-]+-respond-\*$/,
    'roles of responses in the accounts of clusters, which ask for an external id; made with each cluster',
  ],
  [
    /:function:[\w-]+-response-\*$/,
    'functions that responses name, which begin with the name of the installation',
  ],
  [
    /:secret:[\w-]+\/respond\/\*$/,
    'secrets of webhooks, which responses name, below the name of the installation',
  ],
  [/:sns:.*:[\w-]+-\*$/, 'topics that routes name, which begin with the name of the installation'],
]
