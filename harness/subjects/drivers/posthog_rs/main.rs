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

type Failure = Box<dyn std::error::Error>;

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

fn main() -> Result<(), Failure> {
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
    let mut reply = result.unwrap_or_else(|error| json!({"error": {"kind": "error", "message": error.to_string()}}));
    reply["id"] = id.unwrap_or_default();
    reply
}

fn carry_out(driver: &mut Driver, request: Request) -> Result<Value, Failure> {
    match request.op.as_str() {
        "describe" => Ok(driver.describe()),
        "load" => driver.load(request.definitions.ok_or("no definitions")?.get()),
        "evaluate" => driver.evaluate(request.context.ok_or("no context")?, request.flag_keys),
        _ => Err("op must be one of describe, load, evaluate".into()),
    }
}
