//! Who is asked about, as a Rust application would say it: identities and group keys are texts, properties JSON values.

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
        text(&self.distinct_id)
    }

    pub fn groups(&self) -> Result<Option<HashMap<String, String>>, Failure> {
        let Some(groups) = &self.groups else { return Ok(None) };
        groups.iter().map(|(name, key)| Ok((name.clone(), text(key)?))).collect::<Result<_, Failure>>().map(Some)
    }

    pub fn person_properties(&self) -> Result<Option<Properties>, Failure> {
        self.person_properties.as_ref().map(values).transpose()
    }

    pub fn group_properties(&self) -> Result<Option<HashMap<String, Properties>>, Failure> {
        let Some(types) = &self.group_properties else { return Ok(None) };
        types.iter().map(|(name, sent)| Ok((name.clone(), values(sent)?))).collect::<Result<_, Failure>>().map(Some)
    }
}

/// An application must write a number as text; anything else cannot be said to this SDK at all.
fn text(value: &Value) -> Result<String, Failure> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(Failure::bad_request(format!("identities and group keys are texts to this SDK, not {other}"))),
    }
}

fn values(properties: &Raw) -> Result<Properties, Failure> {
    properties.iter().map(|(name, raw)| Ok((name.clone(), exact(raw.get())?))).collect()
}

/// Read a value as an application has it. serde_json misreads some decimals by one unit in the last place unless it is built
/// not to, and that would change how the SDK reads definitions.
fn exact(text: &str) -> Result<Value, Failure> {
    match text.as_bytes().first() {
        Some(b'[') => {
            let members: Vec<Box<RawValue>> = serde_json::from_str(text)?;
            members.iter().map(|member| exact(member.get())).collect()
        }
        Some(b'{') => {
            let members: Raw = serde_json::from_str(text)?;
            members.iter().map(|(name, member)| Ok((name.clone(), exact(member.get())?))).collect()
        }
        Some(b'-' | b'0'..=b'9') if text.contains(['.', 'e', 'E']) => {
            let number = text.parse().ok().and_then(Number::from_f64);
            number.map(Value::Number).ok_or_else(|| Failure::bad_request(format!("{text} is beyond the range of doubles")))
        }
        _ => Ok(serde_json::from_str(text)?),
    }
}
