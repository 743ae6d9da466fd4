import { bucketParameter } from './free-of-bootstrap.ts'
import type { Manifest, PackagedStack } from './package-installation.ts'

/**
 * The commands that deploy a package, as a script for sh. Stacks of other accounts are only printed: they
 * need the credentials of those.
 */
export function deployScript({ stacks, assets }: Manifest, account: string | undefined): string {
  const isHere = (stack: PackagedStack) => stack.account === undefined || stack.account === account
  const here = stacks.filter(isHere)
  const elsewhere = stacks.filter((stack) => !isHere(stack))
  const home = here.find((stack) => stack.assets.length > 0)?.region
  return `#!/bin/sh
# Deploys Lanner without the CDK: ./deploy.sh BUCKET
# BUCKET is any bucket of yours in ${home ?? 'the region'} for zipped functions and templates.
set -eu
cd "$(dirname "$0")"
bucket=\${1:?usage: ./deploy.sh BUCKET}

${assets.map(({ file }) => `aws s3 cp ${file} "s3://$bucket/${file.replace('assets/', '')}"`).join('\n')}

${here.flatMap((stack) => [deployLine(stack, home), protectLine(stack)]).join('\n')}
${elsewhere
  .map(
    (stack) => `
# with credentials of the account ${stack.account}:
# ${deployLine(stack, home)}`,
  )
  .join('\n')}`
}

function deployLine(stack: PackagedStack, home: string | undefined): string {
  const { name, file, region, assets } = stack
  const words = [
    `aws cloudformation deploy --stack-name ${name} --template-file ${file}`,
    '--capabilities CAPABILITY_NAMED_IAM --no-fail-on-empty-changeset',
  ]
  if (region !== undefined) words.push(`--region ${region}`)
  // what is longer than 51,200 bytes goes by a bucket of the same region
  if (region === home) words.push('--s3-bucket "$bucket"')
  if (assets.length > 0) words.push(`--parameter-overrides ${bucketParameter}="$bucket"`)
  return words.join(' ')
}

/** Whether a stack may be deleted is no part of its template. */
function protectLine({ name, region, protected: isProtected }: PackagedStack): string {
  const words = [
    `aws cloudformation update-termination-protection --stack-name ${name}`,
    isProtected ? '--enable-termination-protection' : '--no-enable-termination-protection',
  ]
  if (region !== undefined) words.push(`--region ${region}`)
  return words.join(' ')
}
