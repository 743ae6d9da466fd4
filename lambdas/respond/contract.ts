import type { StageContract } from '../shared/contract.ts'

const items = ['dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:DeleteItem']

/** What the stack must give this stage. `infra` reads these names, and so does the handler. */
export const contract = {
  stage: 'respond',
  env: {
    RESPONSES_TABLE: { meaning: 'table of responses, written by this stage alone' },
    TABLE: { meaning: 'table of state that stages share: expectations and what came of them' },
    RULES_BUCKET: {
      meaning: 'bucket of responses.yaml (what answers what) and clusters.json (where)',
    },
    EVIDENCE_BUCKET: { meaning: 'bucket of evidence, whose objects cannot be changed' },
    LAKE_BUCKET: { meaning: 'bucket of detections, and of messages too long for the bus' },
    BUS: { meaning: 'name of the event bus' },
    DEAD_LETTERS: { meaning: 'URL of the queue for what the bus does not take' },
    APPROVERS: {
      meaning:
        'IAM principals that may approve, as STS names them, separated by commas; * stands for any text',
      default: '',
    },
    PROOF_SECONDS: {
      meaning: 'seconds for which a pod that was cut off is listened to, 15 to 600',
      default: '60',
    },
    LATE_SECONDS: {
      meaning: 'seconds that batches of a node may be late, 5 to 600: it is judged after that',
      default: '75',
    },
    WEBHOOK_SECRETS: {
      meaning: 'prefix of the names of secrets that webhooks may be signed with',
      default: 'lanner/respond/',
    },
  },
  permissions: [
    { actions: items, on: 'responses' },
    { actions: items, on: 'table' },
    // without the right to list, S3 answers 403 for what is not there
    { actions: ['s3:ListBucket'], on: 'rules' },
    { actions: ['s3:ListBucket'], on: 'evidence' },
    { actions: ['s3:GetObject'], on: 'rules' },
    { actions: ['s3:GetObject', 's3:PutObject'], on: 'evidence', below: 'evidence/*' },
    { actions: ['s3:ListBucket'], on: 'lake' },
    { actions: ['s3:GetObject'], on: 'lake', below: 'detections/*' },
    { actions: ['s3:GetObject'], on: 'lake', below: 'batches/*' },
    { actions: ['s3:PutObject'], on: 'lake', below: 'oversized/*' },
    { actions: ['events:PutEvents'], on: 'bus' },
    { actions: ['sqs:SendMessage'], on: 'bus-dead' },
    // one role for each risk class; each is an access entry of the clusters, in its own group
    { actions: ['sts:AssumeRole'], on: 'respond-roles' },
    { actions: ['lambda:InvokeFunction'], on: 'respond-functions' },
    { actions: ['secretsmanager:GetSecretValue'], on: 'respond-secrets' },
  ],
} as const satisfies StageContract
