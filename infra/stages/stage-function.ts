import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import {
  Architecture,
  type CfnFunction,
  type Code,
  Function as LambdaFunction,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { StageContract } from '../../lambdas/shared/contract.ts'
import type { LannerConfig } from '../config.ts'
import type { EnvValue, FunctionSpec, Setting } from '../topology/types.ts'
import { acknowledge } from './acknowledge.ts'
import { statementsOf } from './grants.ts'
import type { Made } from './made.ts'
import { nameOf, type PartContext } from './part-context.ts'

export interface StageFunctionProps {
  readonly spec: FunctionSpec
  readonly contract: StageContract
  readonly code: Code
  readonly context: PartContext
}

/**
 * A stage's function: its role may do what its contract and its triggers say, write its own logs and
 * traces, and nothing else.
 */
export class StageFunction extends Construct {
  readonly stage: string
  readonly function: LambdaFunction
  readonly role: Role

  constructor(scope: Construct, { spec, contract, code, context }: StageFunctionProps) {
    super(scope, `${spec.stage}-stage`)
    this.stage = spec.stage
    const { config, keys } = context
    const functionName = nameOf(context, spec.stage)
    const logGroup = new LogGroup(this, 'logs', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: config.logDays as RetentionDays,
      encryptionKey: keys.of(this, 'logs'),
      removalPolicy: RemovalPolicy.DESTROY,
    })
    this.role = new Role(this, 'role', {
      // Roles in other accounts trust it by its name.
      roleName: functionName,
      description: `What lambdas/${spec.stage}/contract.ts says`,
      // Without a condition: only this account can pass the role to a function, and Lambda does not say
      // that it names an account when it becomes one.
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    })
    this.role.addToPolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [logStreamsOf(this, `/aws/lambda/${functionName}`)],
      }),
    )
    this.role.addToPolicy(
      new PolicyStatement({
        actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
        resources: ['*'],
      }),
    )
    for (const permission of contract.permissions) {
      for (const statement of statementsOf(this, permission, context)) {
        this.role.addToPolicy(statement)
      }
    }
    this.function = new LambdaFunction(this, 'function', {
      ...{ functionName, code, role: this.role, logGroup },
      description: `Lanner: ${spec.stage}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      memorySize: spec.memoryMiB,
      timeout: Duration.seconds(spec.timeoutSeconds),
      tracing: Tracing.ACTIVE,
      ...(config.reservedConcurrency &&
        spec.reservedConcurrency !== undefined && {
          reservedConcurrentExecutions: spec.reservedConcurrency,
        }),
      environment: environmentOf(spec, context),
    })
    this.function.node.addDependency(this.role)
    if (spec.reach === 'vpc') this.#enterNetwork(context)
    acknowledge(
      this.function,
      ['Serverless-LambdaDLQ'],
      'what it is invoked for asynchronously has a failure destination, which also keeps the reason; streams and queues have theirs',
    )
  }

  /** Into the operator's network, when there is one: its destinations are inside. */
  #enterNetwork({ config }: PartContext): void {
    if (config.vpc === undefined) return
    const { subnets, securityGroups } = config.vpc
    const resource = this.function.node.defaultChild as CfnFunction
    resource.vpcConfig = { subnetIds: [...subnets], securityGroupIds: [...securityGroups] }
    this.role.addToPolicy(
      new PolicyStatement({
        actions: [
          ...['ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces'],
          ...['ec2:DeleteNetworkInterface', 'ec2:DescribeSubnets'],
          ...['ec2:AssignPrivateIpAddresses', 'ec2:UnassignPrivateIpAddresses'],
        ],
        resources: ['*'],
      }),
    )
  }
}

/** ARN of the streams of a log group; that of the group, as CloudFormation gives it, ends otherwise. */
export function logStreamsOf(scope: Construct, group: string, stream = '*'): string {
  const { partition, region, account } = Stack.of(scope)
  return `arn:${partition}:logs:${region}:${account}:log-group:${group}:log-stream:${stream}`
}

/** The variables of a function: those of the topology, and what Node and the SDK look at. */
function environmentOf({ env }: FunctionSpec, context: PartContext): Record<string, string> {
  const own = Object.entries(env).map(([name, value]) => [name, textOf(value, context)])
  return {
    NODE_OPTIONS: '--enable-source-maps',
    ...(context.config.fips && { AWS_USE_FIPS_ENDPOINT: 'true' }),
    ...Object.fromEntries(own),
  }
}

function textOf(value: EnvValue, { made, config }: PartContext): string {
  if (typeof value === 'string') return value
  if ('setting' in value) return settingOf(value.setting, config)
  const found = made.get(value.of)
  if (value.what === undefined) return found.value
  const text = partOf(found, value.what)
  if (text !== undefined) return text
  throw new Error(`${value.of} is a ${found.kind} and has no ${value.what}`)
}

function settingOf(setting: Setting, { name, clusters, approvers }: LannerConfig): string {
  switch (setting) {
    case 'clusters':
      return clusters.map((cluster) => cluster.name).join(',')
    case 'approvers':
      return approvers.join(',')
    case 'respond-secrets':
      return `${name}/respond/`
  }
}

function partOf(made: Made, what: 'arn' | 'target' | 'role' | 'dead'): string | undefined {
  return what === 'arn' ? made.arn : made[what]
}
