import { parseDuration } from '#load'
import type { Notice } from '../content/index.ts'
import type { Sender, SenderSetup } from '../delivery/sender.ts'
import { authorizationOf, webClientOf } from '../delivery/web-client-of.ts'
import { type AlertmanagerAlert, buildAlert, labelsOf } from './build-alerts.ts'

/** What a response waits for without an end of its own burns so long. */
const responseHoldMs = 4 * 3_600_000

/** An alert burns for so many times the pause between two messages. */
const hold = 5

/** Every peer of a cluster gets every message: they tell each other nothing of alerts, only of silences. */
export function tellAlertmanager(setup: SenderSetup): Sender {
  const { destination, secret, now } = setup
  const { settings, urls } = destination
  const client = webClientOf(setup)
  const againMs =
    Number((parseDuration(settings['resend-every'] ?? '2m') ?? 0n) / 1_000_000n) || 120_000
  const times = () => ({ now: now(), holdMs: hold * againMs })
  const send = async (alerts: readonly AlertmanagerAlert[]) => {
    const headers = authorizationOf(secret)
    const sent = urls.map((url) =>
      client.send({ method: 'POST', url: `${url}/api/v2/alerts`, headers, body: alerts }),
    )
    // all of them are waited for: the first failure must not hide how the others fared
    const failed = (await Promise.allSettled(sent)).find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }
  return {
    close: () => client.close(),
    tell: async (notice, before) => {
      const labels = labelsOf(notice, settings['team-label'] ?? 'team')
      if (notice.about === 'response') {
        await send([responseAlert(notice, labels, now())])
        // the alert of the incident is another one, and stays as it is
        return { ref: before.ref }
      }
      const known = before.ref as unknown as { labels: Record<string, string> } | null
      // what opened and closed before anybody heard of it must be heard of
      const isBurning = notice.state === 'open' || before.shown === 'nothing'
      const alerts = [buildAlert(notice, labels, isBurning, times())]
      // under other labels it is another alert: the one of before must not burn on
      if (known !== null && !isSame(known.labels, labels)) {
        alerts.push(buildAlert(notice, known.labels, false, times()))
      }
      await send(alerts)
      return { ref: { labels }, againMs }
    },
  }
}

/** It burns until its approval is over or for hours, and ends with the next thing that the response does. */
export function responseAlert(
  notice: Notice,
  labels: Readonly<Record<string, string>>,
  now: number,
): AlertmanagerAlert {
  const until = Date.parse(notice.response?.approveUntil ?? '')
  const holdMs = Number.isNaN(until) ? responseHoldMs : until - now
  return buildAlert(notice, labels, notice.state === 'open' && holdMs > 0, { now, holdMs })
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}
