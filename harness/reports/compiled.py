"""A finding as a program for the SDKs that are compiled: Go, Rust and the JVM.

Definitions are pasted as JSON in pure ASCII, so that one way of writing a text is right in all three languages.
"""

from __future__ import annotations

import json
from typing import Any, Final

from harness.search.cause import Specimen

_GO: Final = """\
// go mod init reproducer && go get github.com/posthog/posthog-go && go run .
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/posthog/posthog-go"
)

const definitions = {definitions}

func main() {{
	server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, _ *http.Request) {{
		response.Header().Set("Content-Type", "application/json")
		fmt.Fprint(response, definitions)
	}}))
	client, err := posthog.NewWithConfig("phc_x", posthog.Config{{Endpoint: server.URL, PersonalApiKey: "phx_x"}})
	if err != nil {{
		panic(err)
	}}
	fmt.Println(client.GetAllFlags(posthog.FeatureFlagPayloadNoKey{{
		DistinctId:          {identity},
		Groups:              posthog.Groups{groups},
		PersonProperties:    posthog.Properties{properties},
		GroupProperties:     map[string]posthog.Properties{of_groups},
		OnlyEvaluateLocally: true,
	}}))
}}
"""
_RUST: Final = """\
// cargo add posthog-rs --no-default-features && cargo add serde_json
use std::io::{{BufRead, BufReader, Write}};
use std::net::TcpListener;

use posthog_rs::{{ClientOptionsBuilder, EvaluateFlagsOptions}};
use serde_json::{{from_str, from_value, Value}};

const DEFINITIONS: &str = {definitions};
const PERSON: &str = {person};

fn main() {{
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{{}}", listener.local_addr().unwrap());
    std::thread::spawn(move || {{
        for stream in listener.incoming() {{
            let mut stream = stream.unwrap();
            for line in BufReader::new(stream.try_clone().unwrap()).lines() {{
                if line.unwrap().is_empty() {{
                    break;
                }}
            }}
            let head = "HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nConnection: close\\r\\nContent-Length:";
            write!(stream, "{{head}} {{}}\\r\\n\\r\\n{{DEFINITIONS}}", DEFINITIONS.len()).unwrap();
        }}
    }});
    let options = ClientOptionsBuilder::default()
        .host(host)
        .api_key("phc_x".to_string())
        .secret_key("phx_x")
        .enable_local_evaluation(true)
        .local_evaluation_only(true)
        .before_send(|_| None)
        .build();
    let person: Value = from_str(PERSON).unwrap();
    let asked = EvaluateFlagsOptions {{
        groups: from_value(person["groups"].clone()).unwrap(),
        person_properties: from_value(person["person_properties"].clone()).unwrap(),
        group_properties: from_value(person["group_properties"].clone()).unwrap(),
        only_evaluate_locally: true,
        ..Default::default()
    }};
    let client = posthog_rs::client(options.unwrap());
    let answer = client.evaluate_flags(person["distinct_id"].as_str().unwrap().to_string(), asked).unwrap();
    let definitions: Value = from_str(DEFINITIONS).unwrap();
    for flag in definitions["flags"].as_array().unwrap() {{
        let key = flag["key"].as_str().unwrap();
        println!("{{key}} {{:?}} {{:?}}", answer.get_flag(key), answer.get_flag_payload(key));
    }}
}}
"""
_JAVA: Final = """\
// java -cp 'jars/*' Reproducer.java, with com.posthog:posthog-server and what it needs in jars/
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.ToNumberPolicy;
import com.posthog.server.PostHog;
import com.posthog.server.PostHogConfig;
import com.posthog.server.PostHogFeatureFlagResultOptions;
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

public final class Reproducer {{
  static final String DEFINITIONS = {definitions};
  static final String PERSON = {person};

  record Person(
      String distinct_id, Map<String, String> groups, Map<String, Object> person_properties,
      Map<String, Map<String, Object>> group_properties) {{}}

  record Definitions(List<Map<String, Object>> flags) {{}}

  public static void main(String[] arguments) throws Exception {{
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", exchange -> {{
      boolean polls = exchange.getRequestURI().getPath().contains("local_evaluation");
      byte[] body = (polls ? DEFINITIONS : "{{\\"flags\\":{{}}}}").getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", "application/json");
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    }});
    server.start();
    CountDownLatch polled = new CountDownLatch(1);
    var client = PostHog.with(PostHogConfig.builder("phc_x")
        .host("http://127.0.0.1:" + server.getAddress().getPort())
        .personalApiKey("phx_x").localEvaluation(true).preloadFeatureFlags(false).sendFeatureFlagEvent(false)
        .onFeatureFlags(polled::countDown).build());
    polled.await();
    Gson gson = new GsonBuilder().setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE).create();
    Person person = gson.fromJson(PERSON, Person.class);
    var options = PostHogFeatureFlagResultOptions.builder()
        .groups(person.groups()).personProperties(person.person_properties()).groupProperties(person.group_properties())
        .sendFeatureFlagEvent(false).build();
    for (var flag : gson.fromJson(DEFINITIONS, Definitions.class).flags()) {{
      String key = (String) flag.get("key");
      System.out.println(key + " " + client.getFeatureFlagResult(person.distinct_id(), key, options));
    }}
    System.exit(0);
  }}
}}
"""


def go(specimen: Specimen) -> str:
    """Return a main.go; the person is written in Go's own types, for Go's JSON has floating-point numbers only."""
    person = specimen.person
    of_groups = person.get("group_properties") or {}
    return _hour(specimen) + _GO.format(
        definitions=_text(specimen.definitions),
        identity=_go(person.get("distinct_id")),
        groups=_go_members(person.get("groups") or {}),
        properties=_go_members(_with_device(person)["person_properties"]),
        of_groups="{" + ", ".join(f"{_quoted(name)}: {_go_members(sent)}" for name, sent in of_groups.items()) + "}",
    )


def rust(specimen: Specimen) -> str:
    """Return a main.rs."""
    return _hour(specimen) + _RUST.format(**_pasted(specimen))


def java(specimen: Specimen) -> str:
    """Return a Reproducer.java, which `java` runs as it is."""
    return _hour(specimen) + _JAVA.format(**_pasted(specimen))


def _hour(specimen: Specimen) -> str:
    """Return a line about the hour where it matters: these programs have no clock but the machine's."""
    now = specimen.person.get("now")
    return "" if now is None else f"// The hour matters: run it as of {json.dumps(now)}, under faketime.\n"


def _pasted(specimen: Specimen) -> dict[str, str]:
    person = {"groups": {}, "group_properties": {}, **_with_device(specimen.person)}
    return {"definitions": _text(specimen.definitions), "person": _text(person)}


def _with_device(person: Any) -> dict[str, Any]:
    """Return the person with the device where these SDKs look for it."""
    device = {"$device_id": person["device_id"]} if person.get("device_id") else {}
    return {**person, "person_properties": {**device, **(person.get("person_properties") or {})}}


def _text(content: Any) -> str:
    return _quoted(json.dumps(content))


def _quoted(text: str) -> str:
    """Return a text as all three languages write it; a character of its own outside ASCII, and no escape but theirs."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(c if c >= " " and not "\ud800" <= c <= "\udfff" else "�" for c in plain)


def _go(value: Any) -> str:
    match value:
        case None:
            return "nil"
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value)
        case list():
            return "[]any{" + ", ".join(_go(member) for member in value) + "}"
        case dict():
            return "map[string]any" + _go_members(value)
        case _:
            return repr(value)


def _go_members(members: Any) -> str:
    return "{" + ", ".join(f"{_quoted(name)}: {_go(value)}" for name, value in members.items()) + "}"
