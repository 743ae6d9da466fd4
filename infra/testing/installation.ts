import { expect } from 'vitest'
import { flat, ofType, type Synthesised, type Template } from './synthesise.ts'

/** Everything on, with clusters here, in another region, and in another account. */
export const full = {
  ...{ account: '111111111111', region: 'eu-central-1', response: true, tags: { owner: 'sec' } },
  reservedConcurrency: true,
  vpc: { subnets: ['subnet-0123456789abcdef0'], securityGroups: ['sg-0123456789abcdef0'] },
  clusters: [
    { name: 'prod-eu' },
    { name: 'prod-us', region: 'us-east-1' },
    { name: 'member', account: '222222222222' },
  ],
}
/** What tests ask a synthesised installation. */
export class Installation {
  readonly made: Synthesised

  constructor(made: Synthesised) {
    this.made = made
  }

  template(name: string): Template {
    return this.made.templates[`lanner-${name}`]!
  }

  /** All resources of all stacks, by their logical ids. */
  all() {
    return Object.values(this.made.templates).flatMap(({ Resources }) => Object.entries(Resources))
  }

  /** The properties of the only resource of a type in a stack. */
  only(name: string, type: string): Readonly<Record<string, Record<string, unknown>>> {
    const [found, ...more] = ofType(this.template(name), type)
    expect(more, type).toEqual([])
    return found![1].Properties as Readonly<Record<string, Record<string, unknown>>>
  }

  /** Action and resource of each statement of each role. */
  grants(): readonly (readonly [id: string, action: string, resource: string])[] {
    return this.all()
      .filter(([, { Type }]) => Type === 'AWS::IAM::Policy')
      .flatMap(([id, { Properties }]) =>
        statementsOf(Properties['PolicyDocument']).flatMap(({ Action, Resource }) =>
          [Action]
            .flat()
            .flatMap((action) => [Resource].flat().map((on) => [id, action, flat(on)] as const)),
        ),
      )
  }
}

export interface Statement {
  readonly Action: string | readonly string[]
  readonly Resource: unknown
  readonly Condition?: unknown
}

export function statementsOf(document: unknown): readonly Statement[] {
  return (document as { Statement: readonly Statement[] }).Statement
}
