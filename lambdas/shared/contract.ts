/** A variable that a function reads. */
export interface Variable {
  readonly meaning: string
  /** Without it the variable must be set. */
  readonly default?: string
}

/** Calls that a function makes, on what; `infra` grants these and no others. */
export interface Permission {
  /** IAM actions, such as `dynamodb:PutItem`. */
  readonly actions: readonly string[]
  /** Name of the resource in `infra/topology.ts`: `table`, `bus`, `lake`, … */
  readonly on: string
  /** Keys or paths below it that are enough. */
  readonly below?: string
}

/** What the stack must give a stage. The construct and the handler read the same object. */
export interface StageContract<Name extends string = string> {
  readonly stage: string
  readonly env: Readonly<Record<Name, Variable>>
  readonly permissions: readonly Permission[]
}

/**
 * The variables of a stage from an environment. Throws one error that names all that are missing.
 */
export function readEnv<Name extends string>(
  { stage, env }: StageContract<Name>,
  from: Readonly<Record<string, string | undefined>>,
): Readonly<Record<Name, string>> {
  const names = Object.keys(env) as Name[]
  const found = names.map((name) => [name, from[name] ?? env[name].default] as const)
  const missing = found.filter(([, value]) => value === undefined)
  if (missing.length > 0) {
    const list = missing.map(([name]) => `${name} (${env[name].meaning})`).join(', ')
    throw new Error(`${stage}: missing in the environment: ${list}`)
  }
  return Object.fromEntries(found) as Record<Name, string>
}
