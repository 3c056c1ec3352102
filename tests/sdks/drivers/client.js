// An application that uses posthog-node: carries out one JSON line after the other. Only the host is ours to choose.
// `before_send` shows what the SDK says about a flag, even when nothing can be delivered.
'use strict'

const path = require('node:path')
const readline = require('node:readline')
const { createRequire } = require('node:module')
const { isDeepStrictEqual } = require('node:util')

for (const level of ['log', 'info', 'debug']) console[level] = (...words) => console.error(...words)
const { PostHog } = createRequire(path.join(path.resolve(process.argv[2]), 'resolve.js'))('posthog-node')

const clients = {}
const called = []
const watched = {}

const sent = (event) => {
  if (event?.event === '$feature_flag_called') called.push(event.properties)
  return event
}
const options = ({ person, local }) => ({
  groups: person.groups,
  personProperties: person.person_properties,
  groupProperties: person.group_properties,
  onlyEvaluateLocally: local ?? false,
})

const operations = {
  async start({ name, host, token, key, poll_s: pollS = 86_400 }) {
    const featureFlagsPollingInterval = pollS * 1000
    clients[name] = new PostHog(token, { host, personalApiKey: key, before_send: sent, featureFlagsPollingInterval })
    if (key) await clients[name].reloadFeatureFlags()
    return {}
  },
  async flags(request) {
    const answer = await clients[request.name].getAllFlagsAndPayloads(request.person.distinct_id, options(request))
    return { flags: answer.featureFlags, payloads: answer.featureFlagPayloads }
  },
  async flag({ name, person, key }) {
    called.length = 0
    const result = await clients[name].getFeatureFlagResult(key, person.distinct_id, options({ person }))
    return { value: result?.variant ?? result?.enabled ?? null, error: called.at(-1)?.$feature_flag_error ?? null }
  },
  async capture({ name, distinct_id: distinctId, event }) {
    clients[name].capture({ distinctId, event, properties: { source: 'sdk' } })
    await clients[name].flush()
    return {}
  },
  async poll({ name }) {
    await clients[name].reloadFeatureFlags()
    return {}
  },
  // Evaluates all flags locally, over and over, and remembers every answer that was another one than the one before.
  async watch({ name, person }) {
    const seen = (watched[name] = [])
    const look = async () => {
      const answer = await operations.flags({ name, person, local: true })
      if (!isDeepStrictEqual(answer, seen.at(-1))) seen.push(answer)
      setTimeout(look, 20)
    }
    await look()
    return {}
  },
  async seen({ name }) {
    return { answers: watched[name] }
  },
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin, terminal: false })) {
    const { op, ...request } = JSON.parse(line)
    const answer = await operations[op](request).catch((error) => ({ raised: String(error) }))
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
  process.exit(0)
}

main()
