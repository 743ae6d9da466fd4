import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Topic } from 'aws-cdk-lib/aws-sns'
import type { Construct } from 'constructs'
import type { Topology } from '../topology/types.ts'
import { alarmsOf, makeAlarm } from './alarms.ts'
import { makeDashboard } from './dashboard.ts'
import { nameOf, type PartContext } from './part-context.ts'

export interface OperationsProps extends StackProps {
  readonly context: PartContext
  /** Of the parts that are deployed. */
  readonly topology: Topology
}

/** What operators look at: a dashboard, alarms with their runbooks, and a topic that they subscribe to. */
export class OperationsStack extends Stack {
  constructor(scope: Construct, id: string, props: OperationsProps) {
    super(scope, id, props)
    const { context, topology } = props
    const topic = new Topic(this, 'operators', {
      topicName: nameOf(context, 'operators'),
      displayName: 'Lanner: alarms of the pipeline itself',
      masterKey: context.keys.of(this, 'alerts'),
      enforceSSL: true,
    })
    topic.addToResourcePolicy(
      new PolicyStatement({
        ...{ sid: 'Alarms', effect: Effect.ALLOW, actions: ['sns:Publish'] },
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    )
    for (const spec of alarmsOf(topology, context)) makeAlarm(this, spec, topic, context)
    makeDashboard(this, topology, context)
    new CfnOutput(this, 'OperatorsTopic', { value: topic.topicArn })
  }
}
