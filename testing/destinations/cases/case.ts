import { type Destination, type DestinationKind, kindSettings } from '#routes'
import type { MakeSender } from '../../../lambdas/notify/delivery/sender.ts'
import type { FaultServer, TlsSetup } from '../fault-server.ts'

/** What is seen of one incident at a destination. */
export interface Seen {
  readonly subject: string
  readonly state: 'open' | 'closed'
}

/** A destination on this machine, ready to be told. */
export interface Case {
  readonly server: FaultServer
  readonly destination: Destination
  readonly secret: Readonly<Record<string, string>>
  readonly make: MakeSender
  /** What people see: an incident twice is twice in it. */
  seen(now: number): Promise<readonly Seen[]> | readonly Seen[]
  /** The one secret (or permission) that it takes is another one from now on; gives the new members. */
  changeLogin(): Readonly<Record<string, string>>
  remove(): Promise<void> | void
  /** Ids of messages about responses that people see, each as often as they see it; none when it shows no ids. */
  lines?(): readonly string[]
  /** Texts that it would take for markup: mentions, links, images. */
  markup?(): readonly string[]
  stop(): Promise<void>
}

/** What a kind of destination cannot promise, and why. */
export interface CaseTraits {
  /** A message whose answer was lost comes twice: there is nothing to look it up by. */
  readonly repeatsWhatWasLost?: true
  /** Has no state: every message is one, and the end of an incident may be none. */
  readonly isLog?: true
  /** Reached through an SDK of AWS: its TLS and credentials are not ours. */
  readonly isAws?: true
}

export interface CaseMaker extends CaseTraits {
  readonly name: string
  readonly start: (tls?: TlsSetup, now?: () => number) => Promise<Case>
}

/** A destination of a kind at an address, with the defaults of its settings. */
export function destinationOf(
  kind: DestinationKind,
  url: string | undefined,
  settings: Readonly<Record<string, string>> = {},
): Destination {
  const defaults = Object.entries(kindSettings[kind].settings).flatMap(([name, setting]) =>
    setting.default === undefined ? [] : [[name, setting.default] as const],
  )
  return {
    ...{ name: kind, kind, reach: 'internet', timeoutMs: 400, giveUpMs: 86_400_000 },
    settings: { ...Object.fromEntries(defaults), ...settings },
    urls: url === undefined ? [] : [url],
    rate: { messages: 1, perMs: 1000 },
    at: { file: 'routes.yaml', line: 1, column: 1, offset: 0, length: 0 },
  }
}

/** Ids of messages about responses in a text. */
export const linesIn = (text: string) =>
  [...text.matchAll(/(?:· response |lanner-response:)([0-9a-f]+-\d+)/g)].map(([, id = '']) => id)
export const subjectIn = (text: string) => /[0-9a-f]{64}/.exec(text)?.[0] ?? ''
