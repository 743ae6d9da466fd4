/**
 * Every wildcard of a resource in a statement of IAM, and why it is no wider than it must be. A test
 * fails on one that nothing here explains. The texts are those of cdk-nag: what CloudFormation fills
 * in stands between < and >.
 */
export const wildcardReasons: readonly (readonly [resource: RegExp, reason: string])[] = [
  [
    /:log-group:\/aws\/lambda\/[\w-]+:log-stream:\*$/,
    'streams of its own log group have names of Lambda',
  ],
  [/^\*$/, 'X-Ray knows no resources; network interfaces get their ids when they are made'],
  [/>\/[\w/-]*\*$/, 'objects of one bucket, below the prefix that the contract names'],
  [/:schedule\/[\w-]+\/[\w-]*\*$/, 'one-time schedules of one group have names of incidents'],
  [/:key\/\*$/, 'the key of telemetry alone, by its alias: its id is not known in other accounts'],
  [
    /:secret:[\w-]+\/notify\/[\w-]+\*$/,
    'secrets of one kind of destinations, which routes name; their ARNs end in characters of Secrets Manager',
  ],
  [
    /:iam::\*:role\/[\w-]+-respond-\*$/,
    'roles of responses in the accounts of clusters, which ask for an external id; made with each cluster',
  ],
  [
    /:function:[\w-]+-response-\*$/,
    'functions that responses name, which begin with the name of the installation',
  ],
  [
    /:secret:[\w-]+\/respond\/\*$/,
    'secrets of webhooks, which responses name, below the name of the installation',
  ],
  [
    /:sns:[^:]*:[^:]*:[\w-]+-\*$/,
    'topics that routes name, which begin with the name of the installation',
  ],
]
