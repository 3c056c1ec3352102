// An application that uses posthog-node: carries out one JSON line after the other. Only the host is ours to choose.
// Times are those of the SDK's call alone; events are dropped where the SDK hands them over, so that every request is about flags.
'use strict'

const path = require('node:path')
const readline = require('node:readline')
const { createRequire } = require('node:module')

for (const level of ['log', 'info', 'debug', 'warn', 'error']) console[level] = () => {}
const resolve = createRequire(path.join(path.resolve(process.argv[2]), 'resolve.js'))
const { PostHog } = resolve('posthog-node')
const { version } = require(path.join(path.resolve(process.argv[2]), 'node_modules', 'posthog-node', 'package.json'))

const POLL_NEVER_MS = 86_400_000
const clients = {}
const errors = []

const drop = (event) => {
  errors.push(event?.properties?.$feature_flag_error ?? null)
  return null
}
const options = ({ person, local }) => ({
  personProperties: person.person_properties,
  onlyEvaluateLocally: local ?? false,
})

const operations = {
  async start({ name, host, token, key }) {
    const rest = { personalApiKey: key, before_send: drop, featureFlagsPollingInterval: POLL_NEVER_MS }
    clients[name] = new PostHog(token, { host, ...rest })
    return {}
  },
  async one({ name, person, flag }) {
    errors.length = 0
    const value = await clients[name].getFeatureFlag(flag, person.distinct_id, options({ person }))
    return { value: value ?? null, told: errors.at(-1) ?? null }
  },
  async all(request) {
    const flags = await clients[request.name].getAllFlags(request.person.distinct_id, options(request))
    return { flags: flags ?? {} }
  },
  async poll({ name }) {
    await clients[name].reloadFeatureFlags()
    return {}
  },
  async describe() {
    return { version }
  },
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin, terminal: false })) {
    const { op, ...request } = JSON.parse(line)
    const began = performance.now()
    const answer = await operations[op](request).catch((error) => ({ raised: error?.constructor?.name ?? 'Error' }))
    process.stdout.write(`${JSON.stringify({ ...answer, seconds: (performance.now() - began) / 1000 })}\n`)
  }
  process.exit(0)
}

main()
