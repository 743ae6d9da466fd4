import { notifyContract } from '../notify/notify-contract.ts'

/** What the stack must give this stage. */
export const contract = notifyContract('sns', {
  env: {
    TOPIC: { meaning: 'ARN of the topic that comes with the stack, `topic: lanner` in routes' },
  },
  permissions: [
    { actions: ['sns:Publish'], on: 'alerts' },
    { actions: ['sns:Publish'], on: 'notify-topics' },
  ],
})
