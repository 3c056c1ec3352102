//! posthog-rs's own local evaluator behind the JSON lines protocol (`reference/jsonlines.py`).
//!
//! Definitions reach the SDK as they do in an application, by polling: the driver serves the loaded document on loopback and
//! starts a client, whose first poll fetches it. This SDK cannot be told to poll again, so every document gets a client of its
//! own. Nor can it say that a flag failed: what it does not decide is inconclusive, and a panic ends the process.

mod clock;
mod definitions;
mod driver;
mod person;

use std::io::{self, BufRead, Write};

use driver::Driver;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{json, Value};

/// What goes into the answer instead of a result.
pub struct Failure {
    kind: &'static str,
    message: String,
}

impl Failure {
    pub fn new(kind: &'static str, message: impl ToString) -> Self {
        Failure { kind, message: message.to_string() }
    }

    /// The line is JSON, but not a request that can be carried out.
    pub fn bad_request(message: impl ToString) -> Self {
        Failure::new("bad_request", message)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Failure::new(if error.is_data() { "bad_request" } else { "bad_json" }, error)
    }
}

#[derive(Deserialize)]
struct Request {
    op: String,
    definitions: Option<Box<RawValue>>,
    context: Option<person::Context>,
    flag_keys: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Numbered {
    id: Option<Value>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut driver = Driver::start()?;
    let mut sink = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        writeln!(sink, "{}", answer(&mut driver, &line?))?;
        sink.flush()?;
    }
    std::process::exit(0) // The clients' threads have nothing left to do.
}

/// Carry out one line; whatever is wrong with it is answered as an error.
fn answer(driver: &mut Driver, line: &str) -> Value {
    let id = serde_json::from_str::<Numbered>(line).ok().and_then(|request| request.id);
    let result = serde_json::from_str(line).map_err(Failure::from).and_then(|request| carry_out(driver, request));
    let mut reply = result.unwrap_or_else(|error| json!({"error": {"kind": error.kind, "message": error.message}}));
    reply["id"] = id.unwrap_or_default();
    reply
}

fn carry_out(driver: &mut Driver, request: Request) -> Result<Value, Failure> {
    match request.op.as_str() {
        "describe" => Ok(driver.describe()),
        "load" => driver.load(request.definitions.ok_or_else(|| Failure::bad_request("no definitions"))?.get()),
        "evaluate" => driver.evaluate(request.context.ok_or_else(|| Failure::bad_request("no context"))?, request.flag_keys),
        _ => Err(Failure::bad_request("op must be one of describe, load, evaluate")),
    }
}
