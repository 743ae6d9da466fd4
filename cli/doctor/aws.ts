import type { Config } from '../../collector/config/settings.ts'
import { streamNamed } from '../../collector/sinks/kinesis/stream-name.ts'
import type { Check } from '../machine.ts'
import { whyNot } from './file-access.ts'
import type { Environment } from './kubernetes.ts'

/** Where the SDK would find credentials, in its order; the first that is there counts. */
interface Source {
  readonly found: string
  /** All of them must be set. */
  readonly variables: readonly string[]
  /** Names a file that the agent must be able to read. */
  readonly file?: string
}

const sources: readonly Source[] = [
  {
    found: 'an access key in the environment',
    variables: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
  },
  { found: 'a profile (AWS_PROFILE)', variables: ['AWS_PROFILE'] },
  {
    found: 'a role for the service account (IRSA)',
    variables: ['AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_ROLE_ARN'],
    file: 'AWS_WEB_IDENTITY_TOKEN_FILE',
  },
  {
    found: 'a role for the pod (EKS Pod Identity)',
    variables: ['AWS_CONTAINER_CREDENTIALS_FULL_URI'],
    file: 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  },
  {
    found: 'a role for the task (ECS)',
    variables: ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'],
  },
]

/** Region and source of credentials for the stream, by their names alone: AWS is not called. */
export function checkAws(stream: Stream, environment: Environment): readonly Check[] {
  return [checkRegion(stream, environment), checkCredentials(environment)]
}

type Stream = Pick<Config['kinesis'], 'stream' | 'region'>

const isSet = (environment: Environment, name: string) => (environment[name] ?? '') !== ''

function checkRegion({ stream, region }: Stream, environment: Environment): Check {
  const name = 'AWS region'
  const ofArn = streamNamed(stream)?.region
  if (ofArn !== undefined) {
    return { name, state: 'ok', found: `${ofArn}, by kinesis.stream`, advice: '' }
  }
  if (region !== '') {
    return { name, state: 'ok', found: `${region}, by kinesis.region`, advice: '' }
  }
  if (isSet(environment, 'AWS_REGION')) {
    return { name, state: 'ok', found: `${environment['AWS_REGION']}, by AWS_REGION`, advice: '' }
  }
  return {
    name,
    state: 'missing',
    found: isSet(environment, 'AWS_DEFAULT_REGION')
      ? 'only AWS_DEFAULT_REGION, which the client does not read'
      : 'none in configuration or environment',
    advice: 'set kinesis.region or AWS_REGION',
  }
}

function checkCredentials(environment: Environment): Check {
  const name = 'AWS credentials'
  const source = sources.find(({ variables }) =>
    variables.every((each) => isSet(environment, each)),
  )
  if (source !== undefined) {
    const file = source.file === undefined ? undefined : environment[source.file]
    const reason = file === undefined || file === '' ? '' : whyNot(file, ['read'])
    if (reason === '') return { name, state: 'ok', found: source.found, advice: '' }
    return {
      name,
      state: 'missing',
      found: `${source.found}, but ${reason}`,
      advice: 'set securityContext.fsGroup: 65534 in the pod',
    }
  }
  if (environment['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') {
    return {
      name,
      state: 'missing',
      found: 'none in the environment, and the instance role is switched off',
      advice: 'give the service account a role (EKS Pod Identity or IRSA)',
    }
  }
  return {
    name,
    state: 'limited',
    found: 'none in the environment: only the role of the instance could give some',
    advice:
      'better give the service account a role of its own (EKS Pod Identity or IRSA); a pod reaches the instance role only with a hop limit of 2',
  }
}
