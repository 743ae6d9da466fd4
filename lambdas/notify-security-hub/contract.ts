import { notifyContract } from '../notify/notify-contract.ts'

/** What the stack must give this stage. */
export const contract = notifyContract('security-hub', {
  env: { PRODUCT: { meaning: 'ARN of the product that findings of the account itself are of' } },
  permissions: [{ actions: ['securityhub:BatchImportFindings'], on: 'security-hub-product' }],
})
