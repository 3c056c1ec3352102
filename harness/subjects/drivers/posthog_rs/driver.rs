//! One SDK client at a time, and what it says about one person's flags.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use posthog_rs::{Client, ClientOptions, ClientOptionsBuilder, EvaluateFlagsOptions, FlagValue};
use serde_json::{json, Map, Value};

use crate::clock;
use crate::definitions::Endpoint;
use crate::person::Context;
use crate::Failure;

const POLL_NEVER_S: u64 = 86_400;
const NO_DEFINITIONS: &str = r#"{"flags":[],"group_type_mapping":{},"cohorts":{}}"#;
/// A client takes up to 200 ms to stop; so many may be at it while the next ones work.
const STOPPING: usize = 32;

pub struct Driver {
    endpoint: Endpoint,
    http: reqwest::blocking::Client,
    client: Option<Client>,
    stopping: VecDeque<JoinHandle<()>>,
    keys: Vec<String>,
}

impl Driver {
    /// Start the endpoint, and a client that knows of no flags: its poll says which version this is.
    pub fn start() -> Result<Self, Box<dyn std::error::Error>> {
        let http = reqwest::blocking::Client::builder().no_proxy().build()?;
        let endpoint = Endpoint::start()?;
        let mut driver = Driver { endpoint, http, client: None, stopping: VecDeque::new(), keys: Vec::new() };
        driver.load(NO_DEFINITIONS).map_err(|failure| failure.message)?;
        Ok(driver)
    }

    pub fn describe(&self) -> Value {
        let agent = self.endpoint.agent();
        let (name, version) = agent.split_once('/').unwrap_or((&agent, "?"));
        let mut capabilities = vec!["local_evaluation", "payloads"];
        if clock::is_ours() {
            capabilities.push("clock");
        }
        json!({"name": name, "version": version, "capabilities": capabilities})
    }

    /// Replace the definitions; where the SDK refuses them, the earlier ones stay.
    pub fn load(&mut self, definitions: &str) -> Result<Value, Failure> {
        let version = self.endpoint.publish(definitions);
        let is_refused = Arc::new(AtomicBool::new(false));
        let client = posthog_rs::client(self.options(is_refused.clone())?); // It polls before it returns.
        if self.endpoint.served() != version || is_refused.load(Ordering::SeqCst) {
            self.stop(Some(client));
            return Err(Failure::new("refused", "the SDK did not take the definitions"));
        }
        let previous = self.client.replace(client);
        self.stop(previous);
        self.keys = keys(definitions);
        Ok(json!({"ok": true}))
    }

    pub fn evaluate(&self, context: Context, asked: Option<Vec<String>>) -> Result<Value, Failure> {
        let client = self.client.as_ref().ok_or_else(|| Failure::new("not_loaded", "load definitions first"))?;
        let wanted = |key: &&String| asked.as_ref().is_none_or(|asked| asked.contains(key));
        let keys: Vec<&String> = self.keys.iter().filter(wanted).collect();
        let options = EvaluateFlagsOptions {
            groups: context.groups(),
            person_properties: context.person_properties(),
            group_properties: context.group_properties(),
            only_evaluate_locally: true,
            flag_keys: asked.clone(),
            ..Default::default()
        };
        let identity = context.distinct_id()?;
        clock::set(context.now()?);
        let answer = client.evaluate_flags(identity, options);
        clock::set(None);
        let answer = answer.map_err(|error| Failure::new("sdk", error))?;
        let mut flags = Map::new();
        for key in keys {
            let value = answer.get_flag(key).map(|value| match value {
                FlagValue::Boolean(value) => Value::Bool(value),
                FlagValue::String(value) => Value::String(value),
            });
            flags.insert(key.clone(), verdict(value, answer.get_flag_payload(key)));
        }
        Ok(json!({"flags": flags}))
    }

    fn options(&self, is_refused: Arc<AtomicBool>) -> Result<ClientOptions, Failure> {
        ClientOptionsBuilder::default()
            .host(self.endpoint.address.clone())
            .api_key("phc_driver".to_string())
            .secret_key("phx_driver")
            .enable_local_evaluation(true)
            .local_evaluation_only(true)
            .poll_interval_seconds(POLL_NEVER_S)
            .blocking_http_client(self.http.clone())
            .before_send(|_| None) // Events about flags that were called are none of the harness's business.
            .on_error(move |_| is_refused.store(true, Ordering::SeqCst)) // A poll that failed; nothing else is sent.
            .build()
            .map_err(|error| Failure::new("sdk", error))
    }

    /// Stop a client beside the work.
    fn stop(&mut self, client: Option<Client>) {
        if self.stopping.len() >= STOPPING {
            self.stopping.pop_front().map(JoinHandle::join);
        }
        self.stopping.push_back(thread::spawn(move || drop(client)));
    }
}

/// Payloads are written as JSON text again, which is how definitions carry them: a decoded text may look like other JSON.
fn verdict(value: Option<Value>, payload: Option<Value>) -> Value {
    match value {
        Some(value) => json!({"status": "value", "value": value, "payload": payload.map(|payload| payload.to_string())}),
        None => json!({"status": "inconclusive"}),
    }
}

fn keys(definitions: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(definitions).unwrap_or_default();
    let flags = document["flags"].as_array();
    flags.into_iter().flatten().filter_map(|flag| Some(flag["key"].as_str()?.to_string())).collect()
}
