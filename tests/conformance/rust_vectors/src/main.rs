//! Asks the crates that the flag service is built on, and writes down what they say.
//!
//! `rust-vectors INPUTS VECTORS`: INPUTS is a JSON object of lists (see inputs.py), VECTORS the same with answers.

use std::cmp::Ordering;
use std::panic::catch_unwind;
use std::str::FromStr;

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::{json, Map, Value};

/// The service's own limit on backtracking steps.
const BACKTRACK_LIMIT: usize = 10_000;
const NAIVE_FORMATS: [&str; 4] = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let inputs: Map<String, Value> = serde_json::from_str(&std::fs::read_to_string(&paths[0]).unwrap()).unwrap();
    std::panic::set_hook(Box::new(|_| {}));
    let mut vectors = Map::new();
    for (section, rows) in &inputs {
        let answer: fn(&Value) -> Value = match section.as_str() {
            "regex" => regex_row,
            "floats" => float_row,
            "numbers" => number_row,
            "orders" => order_row,
            "requirements" => requirement_row,
            "dates" => date_row,
            "free_dates" => free_date_row,
            "lower" => lower_row,
            other => panic!("unknown section {other}"),
        };
        vectors.insert(section.clone(), rows.as_array().unwrap().iter().map(answer).collect());
    }
    vectors.insert("classes".into(), json!({"w": class(r"\w"), "d": class(r"\d"), "s": class(r"\s")}));
    std::fs::write(&paths[1], lines(&vectors)).unwrap();
}

/// One row a line: a change shows as the rows it touches.
fn lines(vectors: &Map<String, Value>) -> String {
    let sections: Vec<String> = vectors
        .iter()
        .map(|(name, rows)| match rows {
            Value::Array(rows) => {
                let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
                format!("\"{name}\": [\n{}\n]", rows.join(",\n"))
            }
            other => format!("\"{name}\": {other}"),
        })
        .collect();
    format!("{{\n{}\n}}\n", sections.join(",\n"))
}

fn texts(row: &Value) -> (&str, &str) {
    (row[0].as_str().unwrap(), row[1].as_str().unwrap())
}

/// [pattern, text] → [pattern, text, answer of the service's version, answer of the newest one].
fn regex_row(row: &Value) -> Value {
    let (pattern, text) = texts(row);
    json!([pattern, text, search(pattern, text), search_newest(pattern, text)])
}

fn search(pattern: &str, text: &str) -> Value {
    let answer = catch_unwind(|| {
        match fancy_regex::RegexBuilder::new(pattern).backtrack_limit(BACKTRACK_LIMIT).build() {
            Err(_) => json!("refused"),
            Ok(regex) => regex.find(text).map_or(json!("limit"), |found| json!(found.is_some())),
        }
    });
    answer.unwrap_or(json!("panic"))
}

fn search_newest(pattern: &str, text: &str) -> Value {
    let answer = catch_unwind(|| {
        match fancy_regex_newest::RegexBuilder::new(pattern).backtrack_limit(BACKTRACK_LIMIT).build() {
            Err(_) => json!("refused"),
            Ok(regex) => regex.find(text).map_or(json!("limit"), |found| json!(found.is_some())),
        }
    });
    answer.unwrap_or(json!("panic"))
}

/// JSON text of a number → [text, what serde_json prints for it].
fn float_row(row: &Value) -> Value {
    let text = row.as_str().unwrap();
    json!([text, serde_json::from_str::<Value>(text).unwrap().to_string()])
}

/// Text → [text, the double as printed by `{:?}`, or null].
fn number_row(row: &Value) -> Value {
    let text = row.as_str().unwrap();
    json!([text, text.parse::<f64>().ok().map(|number| format!("{number:?}"))])
}

/// [version, version] → [.., .., "<", "=" or ">", or null where one does not parse].
fn order_row(row: &Value) -> Value {
    let (left, right) = texts(row);
    let order = match (semver::Version::parse(left), semver::Version::parse(right)) {
        (Ok(left), Ok(right)) => Some(match left.cmp(&right) {
            Ordering::Less => "<",
            Ordering::Equal => "=",
            Ordering::Greater => ">",
        }),
        _ => None,
    };
    json!([left, right, order])
}

/// [requirement, version] → [.., .., matches, or null where the requirement does not parse].
fn requirement_row(row: &Value) -> Value {
    let (requirement, version) = texts(row);
    let version_parsed = semver::Version::parse(version).unwrap();
    let answer = semver::VersionReq::parse(requirement).ok().map(|known| known.matches(&version_parsed));
    json!([requirement, version, answer])
}

/// [text, zone] → [.., .., [seconds, nanoseconds] or null]: the documented forms, in the service's order.
fn date_row(row: &Value) -> Value {
    let (text, zone) = texts(row);
    let instant = documented(text, Tz::from_str(zone).unwrap());
    json!([text, zone, instant.map(|at| (at.timestamp(), at.timestamp_subsec_nanos()))])
}

fn documented(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    if let Ok(date) = DateTime::parse_from_rfc3339(text) {
        return Some(date.with_timezone(&Utc));
    }
    let naive = match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(date) => date.and_hms_opt(0, 0, 0),
        Err(_) => NAIVE_FORMATS.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()),
    }?;
    match zone.from_local_datetime(&naive) {
        LocalResult::Single(date) | LocalResult::Ambiguous(date, _) => Some(date.with_timezone(&Utc)),
        LocalResult::None => None,
    }
}

/// Text → [text, whether the free-form parser of the service's version reads it, whether the newest does].
fn free_date_row(row: &Value) -> Value {
    let text = row.as_str().unwrap();
    let known = catch_unwind(|| dateparser::parse(text).is_ok()).unwrap_or(true);
    let known_newest = catch_unwind(|| dateparser_newest::parse(text).is_ok()).unwrap_or(true);
    json!([text, known, known_newest])
}

/// Text → [text, its full Unicode lower case].
fn lower_row(row: &Value) -> Value {
    let text = row.as_str().unwrap();
    json!([text, text.to_lowercase()])
}

/// All characters of a set, as inclusive ranges of code points.
fn class(pattern: &str) -> Vec<(u32, u32)> {
    let regex = fancy_regex::Regex::new(pattern).unwrap();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for character in '\0'..=char::MAX {
        if regex.is_match(character.encode_utf8(&mut [0; 4])).unwrap() {
            let code = character as u32;
            match ranges.last_mut() {
                Some(range) if range.1 + 1 == code => range.1 = code,
                _ => ranges.push((code, code)),
            }
        }
    }
    ranges
}
