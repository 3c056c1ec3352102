//! Who is asked about, as a Rust application would say it: identities and group keys are texts, properties JSON values.
//! What cannot be said that way (a group key of `true`, a number beyond doubles) is left out, as the application must.

use std::collections::HashMap;

use chrono::DateTime;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Number, Value};

use crate::Failure;

type Raw = HashMap<String, Box<RawValue>>;
type Properties = HashMap<String, Value>;

#[derive(Deserialize)]
pub struct Context {
    distinct_id: Value,
    person_properties: Option<Raw>,
    groups: Option<HashMap<String, Value>>,
    group_properties: Option<HashMap<String, Raw>>,
    now: Option<String>,
}

impl Context {
    /// Return the instant as of which is asked, in nanoseconds since 1970.
    pub fn now(&self) -> Result<Option<i64>, Failure> {
        let Some(now) = &self.now else { return Ok(None) };
        let instant = DateTime::parse_from_rfc3339(now).map_err(Failure::bad_request)?.timestamp_nanos_opt();
        instant.map(Some).ok_or_else(|| Failure::bad_request("an instant beyond the clock's range"))
    }

    pub fn distinct_id(&self) -> Result<String, Failure> {
        text(&self.distinct_id).ok_or_else(|| Failure::bad_request("identities are texts to this SDK"))
    }

    pub fn groups(&self) -> Option<HashMap<String, String>> {
        let groups = self.groups.as_ref()?;
        Some(groups.iter().filter_map(|(name, key)| Some((name.clone(), text(key)?))).collect())
    }

    pub fn person_properties(&self) -> Option<Properties> {
        self.person_properties.as_ref().map(values)
    }

    pub fn group_properties(&self) -> Option<HashMap<String, Properties>> {
        let types = self.group_properties.as_ref()?;
        Some(types.iter().map(|(name, sent)| (name.clone(), values(sent))).collect())
    }
}

/// An application writes a number as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn values(properties: &Raw) -> Properties {
    properties.iter().filter_map(|(name, raw)| Some((name.clone(), exact(raw.get())?))).collect()
}

/// Read a value as an application has it; None where it can have none such. serde_json misreads some decimals by one unit in
/// the last place unless it is built not to, and that would change how the SDK reads definitions.
fn exact(text: &str) -> Option<Value> {
    match text.as_bytes().first()? {
        b'[' => serde_json::from_str::<Vec<Box<RawValue>>>(text).ok()?.iter().map(|member| exact(member.get())).collect(),
        b'{' => {
            let members: Raw = serde_json::from_str(text).ok()?;
            members.iter().map(|(name, member)| Some((name.clone(), exact(member.get())?))).collect()
        }
        b'-' | b'0'..=b'9' if text.contains(['.', 'e', 'E']) => Some(Value::Number(Number::from_f64(text.parse().ok()?)?)),
        _ => serde_json::from_str(text).ok(),
    }
}
