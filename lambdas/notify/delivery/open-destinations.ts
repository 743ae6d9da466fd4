import { type Destination, kindSettings } from '#routes'
import type { OpenDestination } from './deliver.ts'
import { membersOf, type Secrets } from './secrets.ts'
import type { MakeSender, Sender } from './sender.ts'

interface Made {
  readonly sender: Sender
  /** Of what it was made. */
  readonly of: string
}

/** The senders of destinations, each made anew when its settings or its secret are others. */
export class OpenDestinations {
  readonly #make: MakeSender
  readonly #secrets: Secrets
  readonly #now: () => number
  readonly #made = new Map<string, Made>()

  constructor(make: MakeSender, secrets: Secrets, now: () => number) {
    this.#make = make
    this.#secrets = secrets
    this.#now = now
  }

  open(destination: Destination): OpenDestination {
    const { secret } = destination
    return {
      destination,
      sender: () => this.#sender(destination),
      renew: async () => secret !== undefined && this.#secrets.renew(secret),
    }
  }

  async #sender(destination: Destination): Promise<Sender> {
    const { name, secret: secretName, kind, at: _, ...settings } = destination
    const text = secretName === undefined ? '{}' : await this.#secrets.text(secretName)
    const of = JSON.stringify([settings, text])
    const known = this.#made.get(name)
    if (known?.of === of) return known.sender
    known?.sender.close?.()
    const { secret: members } = kindSettings[kind]
    const secret = membersOf(text, members[0])
    const sender = this.#make({ destination, secret, now: this.#now })
    this.#made.set(name, { sender, of })
    return sender
  }
}
