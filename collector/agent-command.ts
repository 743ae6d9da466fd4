// How the sensor and the agent of a fleet are started: by `lanner agent`, in the image and by systemd alike.

/** Keeps the agent small: it holds tables and rules, not documents. */
export const nodeFlags: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=1',
  '--max-old-space-size=96',
  '--v8-pool-size=1',
  '--expose-gc', // see MemoryKeeper
]

/** Two threads: a look-up that gets no answer must not keep the spool from writing. */
export const agentEnvironment: Readonly<Record<string, string>> = {
  UV_THREADPOOL_SIZE: '2',
  MALLOC_ARENA_MAX: '1',
}

/** Variables that the agent needs beside its own: credentials and region, the API server, proxies. */
const passed = [
  ...['AWS_', 'KUBERNETES_SERVICE_', 'NODE_EXTRA_CA_CERTS=', 'HTTPS_PROXY=', 'NO_PROXY='],
  ...Object.keys(agentEnvironment).map((name) => `${name}=`),
]

/** Options of the sensor that pass those variables on. */
export const passOptions: readonly string[] = passed.flatMap((prefix) => ['--pass', prefix])
