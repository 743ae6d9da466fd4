import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { STSClient } from '@aws-sdk/client-sts'
import { type Approval, signApproval } from '../lambdas/respond/access/approval-token.ts'
import type { PeopleAnswer, PeopleRequest } from '../lambdas/respond/requests.ts'

/** The function may take its time; that nobody listens is known at once. */
const requestHandler = {
  ...{ connectionTimeout: 5000, requestTimeout: 180_000, throwOnRequestTimeout: true },
}

/** Signs as who the AWS environment says one is. */
export async function signAs(approval: Approval): Promise<string> {
  const { credentials, region } = new STSClient().config
  return signApproval(approval, {
    ...{ credentials: await credentials(), region: await region(), date: new Date() },
  })
}

/** Asks the responding function. Rejects when it cannot be invoked, or fails. */
export async function askRespond(name: string, request: PeopleRequest): Promise<PeopleAnswer> {
  const lambda = new LambdaClient({ requestHandler })
  try {
    const Payload = Buffer.from(JSON.stringify(request))
    const answer = await lambda.send(new InvokeCommand({ FunctionName: name, Payload }))
    const text = Buffer.from(answer.Payload ?? []).toString()
    if (answer.FunctionError !== undefined) throw new Error(`${name} failed: ${text.slice(0, 500)}`)
    return JSON.parse(text) as PeopleAnswer
  } finally {
    lambda.destroy()
  }
}
