import { vi } from 'vitest'

/** Credentials and region that the emulators take, for the SDK's default chain. */
const account = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }

/** Variables by which the AWS SDK talks to services of this machine, by their name: `s3`, `eventbridge`, … */
export function awsEnvironment(endpoints: object): Readonly<Record<string, string>> {
  const urls = Object.entries(endpoints).map(([service, url]) => [
    `AWS_ENDPOINT_URL_${service.toUpperCase()}`,
    String(url),
  ])
  return { ...account, ...Object.fromEntries(urls) }
}

/** Sets them for this process, until `vi.unstubAllEnvs()`; gives them. */
export function stubAws(endpoints: object): Readonly<Record<string, string>> {
  const variables = awsEnvironment(endpoints)
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  return variables
}
