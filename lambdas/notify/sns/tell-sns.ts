import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns'
import { awsProblem } from '../delivery/aws-problem.ts'
import type { MakeSender } from '../delivery/sender.ts'
import { buildPublish } from './build-publish.ts'

/** To a topic, and so to whoever has subscribed to it; `own` is the ARN of the one called `lanner`. */
export function tellSns(client: SNSClient, own?: string): MakeSender {
  return ({ destination }) => {
    const { topic: named = '' } = destination.settings
    const topic = named === 'lanner' ? (own ?? named) : named
    return {
      tell: async (notice) => {
        const abortSignal = AbortSignal.timeout(destination.timeoutMs)
        try {
          await client.send(new PublishCommand(buildPublish(notice, topic)), { abortSignal })
        } catch (error) {
          throw awsProblem(error)
        }
        return { ref: null }
      },
    }
  }
}
