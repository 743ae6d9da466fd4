import {
  choice,
  duration,
  flag,
  integer,
  size,
  stream,
  text,
  texts,
  type ValuesOf,
} from './setting.ts'

/** Everything that can be set, with its default. `lanner agent --settings` prints it. */
export const settings = {
  cluster: text('name of the cluster, on every batch and alert (LANNER_CLUSTER)', ''),
  node: text('name of this node as Kubernetes has it; the host name when empty (LANNER_NODE)', ''),
  rules: {
    paths: texts('rules files and directories of them, watched for changes'),
    enable: texts('rules to enable: names with *, or tag=TAG'),
    disable: texts('rules to disable, likewise'),
    matching: choice('what alerts on the node show: the first rule that matches, or all', 'first', [
      'first',
      'all',
    ]),
  },
  kinesis: {
    stream: stream(
      'stream that batches go to, by its ARN when it is in another account; none is sent when empty (LANNER_STREAM)',
    ),
    region: text('its region; when empty by the ARN, or by the usual AWS settings', ''),
    endpoint: text('another endpoint than the region has', ''),
  },
  identity: {
    token: text(
      'file with the service account token (audience lanner) that says on which node this runs; may be missing',
      '/var/run/secrets/lanner/token',
    ),
    key: text(
      'PEM file with an Ed25519 key that the operator enrolled, outside Kubernetes; a key a run when empty',
      '',
    ),
    instance: text(
      'id of this machine, so that its termination is known for one; node: as the Kubernetes API says (needs get on nodes)',
      '',
    ),
  },
  spool: {
    directory: text(
      'where batches wait for the stream; must outlive the agent',
      '/var/lib/lanner/spool',
    ),
    limit: size('bytes on disk at most; then the oldest are given up, counted', 256 << 20, 8 << 20),
  },
  batch: {
    wait: duration('how long an event waits for others', 1, 0.05, 60),
    heartbeat: duration('silence after which an empty batch says that the node lives', 30, 1, 60),
  },
  fold: {
    window: duration(
      'how long identical events are gathered; they become one with a count',
      5,
      0,
      60,
    ),
  },
  limit: {
    events: integer(
      'events shipped a second at most; above it rules are held back, least severe first',
      1000,
      1,
      1_000_000,
    ),
  },
  redact: {
    enabled: flag(
      'replace secrets in arguments and environment before anything leaves the node',
      false,
    ),
    patterns: texts(
      'further secrets, as RE2 regular expressions; the first group, or all of it, is replaced',
    ),
  },
  alerts: {
    mode: choice('alerts made on the node, as Falco makes them', 'off', [
      'off',
      'always',
      'when-cloud-unreachable',
    ]),
    stdout: flag('write them to standard output, a line each', true),
    file: {
      path: text('write them to this file, too', ''),
      limit: size('size at which the file is rotated', 16 << 20, 1 << 20),
      keep: integer('rotated files that are kept', 3, 0, 100),
    },
    http: {
      url: text('post them to this address, as to Falcosidekick', ''),
    },
  },
  kubernetes: {
    mode: choice(
      'ask the Kubernetes API for the pods of this node; auto: when it runs in one',
      'auto',
      ['auto', 'off', 'on'],
    ),
    url: text('address of the API; from the pod environment when empty', ''),
    ca: text(
      'file with its certificate authority',
      '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
    ),
    token: text('file with the token', '/var/run/secrets/kubernetes.io/serviceaccount/token'),
  },
  health: {
    port: integer('port on localhost for /healthz and /metrics; 0 for none', 9464, 0, 65535),
  },
} as const

export type Config = ValuesOf<typeof settings>
