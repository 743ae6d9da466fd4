import type { IncidentMessage } from '../shared/bus-messages.ts'
import type { Ports } from './machine/ports.ts'
import type { Responder } from './machine/responder.ts'
import { answerPeople, type PeopleAnswer, type PeopleRequest } from './requests.ts'

/** Events of the bus from the queue, a tick of the schedule, or what `lanner approve` and its like ask. */
export type RespondEvent =
  | { readonly Records: readonly { readonly messageId: string; readonly body: string }[] }
  | { readonly source: 'aws.events' }
  | PeopleRequest

export interface Around {
  readonly ports: Ports
  readonly responder: Responder
  /** Looks at what is published, if it is time; rejects when it could never be read. */
  readonly refresh: () => Promise<void>
  readonly askSts: Parameters<typeof answerPeople>[3]
  readonly count: (name: 'ResponsesSwept' | 'ResponsesAsked', value: number) => void
  readonly onError: (text: string, error: unknown) => void
}

export interface Unanswered {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[]
}

/**
 * Does what an event is about. People are answered whether or not anything published can be read: who
 * may stop everything does not depend on it, and an approval counts before it is acted on.
 */
export async function handle(
  event: RespondEvent,
  around: Around,
): Promise<PeopleAnswer | Unanswered | undefined> {
  const { ports, responder, refresh, askSts, count, onError } = around
  if ('ask' in event) {
    if (event.ask === 'approve' || event.ask === 'release') {
      await refresh().catch((error) =>
        onError('people are answered without what is published', error),
      )
    }
    return answerPeople(event, responder, ports, askSts)
  }
  await refresh()
  if (!('Records' in event)) {
    count('ResponsesSwept', await responder.sweep())
    return undefined
  }
  const batchItemFailures: { readonly itemIdentifier: string }[] = []
  for (const { messageId, body } of event.Records) {
    try {
      const { detail } = JSON.parse(body) as { detail: IncidentMessage }
      const ids = await responder.onIncident(detail)
      count('ResponsesAsked', ids.length)
    } catch (error) {
      onError('an incident is not answered yet', error)
      batchItemFailures.push({ itemIdentifier: messageId })
    }
  }
  return { batchItemFailures }
}
