// posthog-server's own local evaluator behind the JSON lines protocol: `java -cp <the SDK's jars>:<our classes> Driver`.
// Definitions reach the SDK as they do in an application, by polling: the driver serves the loaded document on loopback and asks
// the SDK to poll. This SDK cannot be told to evaluate locally only: what it cannot decide it asks `/flags` on the same host.
// That endpoint knows no flag, so such a flag comes back as null, and null is read as "inconclusive".

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.ToNumberPolicy;
import com.google.gson.reflect.TypeToken;
import com.posthog.FeatureFlagResult;
import com.posthog.server.PostHog;
import com.posthog.server.PostHogConfig;
import com.posthog.server.PostHogFeatureFlagResultOptions;
import com.posthog.server.PostHogInterface;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

public final class Driver {
  private static final int POLL_NEVER_S = 86_400;
  private static final int TAKE_UP_S = 10;
  private static final String NO_FLAGS = "{\"flags\":{},\"errorsWhileComputingFlags\":false}";
  private static final String RAISED = "Local evaluation failed for flag";

  // Numbers as an application has them: whole ones as Long, others as Double.
  private static final Gson VALUES =
      new GsonBuilder().setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE).serializeNulls().create();

  private final PrintStream protocol;
  private final Log log;
  private final Semaphore taken = new Semaphore(0);
  private final PostHogInterface client;
  private final List<String> keys = new ArrayList<>();
  private volatile String document = "{\"flags\":[],\"group_type_mapping\":{},\"cohorts\":{}}";
  private volatile int version = 0;
  private volatile int served = -1;

  private Driver(PrintStream protocol, Log log) throws Exception {
    this.protocol = protocol;
    this.log = log;
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::serve);
    server.setExecutor(Executors.newSingleThreadExecutor(Driver::daemon));
    server.start();
    client = PostHog.with(
        PostHogConfig.builder("phc_driver")
            .host("http://127.0.0.1:" + server.getAddress().getPort())
            .personalApiKey("phx_driver")
            .localEvaluation(true)
            .pollIntervalSeconds(POLL_NEVER_S)
            .preloadFeatureFlags(false)
            .sendFeatureFlagEvent(false)
            .debug(true) // An evaluator that raised is told of in the log, and nowhere else.
            .onFeatureFlags(taken::release)
            .build());
    if (!taken.tryAcquire(TAKE_UP_S, TimeUnit.SECONDS)) throw new IllegalStateException("the SDK did not poll");
  }

  public static void main(String[] arguments) throws Exception {
    System.setProperty("sun.net.httpserver.nodelay", "true"); // Otherwise a poll waits 40 ms for its acknowledgement.
    PrintStream protocol = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    Log log = new Log(); // Whatever the SDK prints must not look like an answer.
    System.setOut(log);
    Driver driver = new Driver(protocol, log);
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) driver.answer(line);
    Runtime.getRuntime().halt(0); // The SDK's threads have nothing left to do.
  }

  private void answer(String line) {
    JsonObject answer = new JsonObject();
    answer.add("id", JsonNull.INSTANCE);
    try {
      JsonObject request = read(line);
      answer.add("id", request.get("id"));
      carryOut(request, answer);
    } catch (Refusal refusal) {
      answer.add("error", told(refusal.kind, refusal.getMessage()));
    } catch (Exception | StackOverflowError error) {
      answer.add("error", told(error.getClass().getSimpleName(), String.valueOf(error.getMessage())));
    }
    protocol.println(VALUES.toJson(answer));
    protocol.flush();
  }

  private static JsonObject read(String line) throws Refusal {
    JsonElement request;
    try {
      request = JsonParser.parseString(line);
    } catch (JsonParseException error) {
      throw new Refusal("bad_json", String.valueOf(error.getMessage()));
    }
    if (!request.isJsonObject()) throw new Refusal("bad_request", "a line must be a JSON object");
    return request.getAsJsonObject();
  }

  private static JsonObject told(String kind, String message) {
    JsonObject error = new JsonObject();
    error.addProperty("kind", kind);
    error.addProperty("message", message);
    return error;
  }

  private void carryOut(JsonObject request, JsonObject answer) throws Exception {
    switch (request.has("op") ? text(request.get("op")) : "") {
      case "describe" -> describe(answer);
      case "load" -> load(request.getAsJsonObject("definitions"), answer);
      case "evaluate" -> answer.add("flags", evaluate(request));
      default -> throw new Refusal("bad_request", "op must be describe, load or evaluate");
    }
  }

  private static void describe(JsonObject answer) throws Exception {
    String jar = new File(PostHog.class.getProtectionDomain().getCodeSource().getLocation().toURI()).getName();
    answer.addProperty("name", "posthog-server");
    answer.addProperty("version", jar.replaceAll("^posthog-server-|\\.jar$", ""));
    JsonArray capabilities = new JsonArray();
    capabilities.add("local_evaluation");
    capabilities.add("payloads");
    answer.add("capabilities", capabilities);
  }

  private void load(JsonObject definitions, JsonObject answer) throws Exception {
    document = definitions.toString();
    version += 1;
    keys.clear();
    definitions.getAsJsonArray("flags").forEach(flag -> keys.add(flag.getAsJsonObject().get("key").getAsString()));
    taken.drainPermits();
    log.lastError = "";
    client.reloadFeatureFlags();
    // A reload joins a poll that is under way, which may have fetched what was there before.
    if (served != version) client.reloadFeatureFlags();
    // It keeps the definitions it had when it cannot read the new ones.
    if (served != version || taken.availablePermits() == 0) throw new Refusal("refused", log.lastError);
    answer.addProperty("ok", true);
  }

  private JsonObject evaluate(JsonObject request) {
    JsonObject context = request.getAsJsonObject("context");
    JsonElement asked = request.get("flag_keys");
    Map<String, Object> person = new LinkedHashMap<>();
    if (context.has("device_id")) person.put("$device_id", VALUES.fromJson(context.get("device_id"), Object.class));
    person.putAll(properties(context.get("person_properties")));
    Map<String, String> groups = new LinkedHashMap<>();
    // The SDK takes texts only: a caller writes a number out, and has no way to say true or null.
    members(context.get("groups")).forEach((type, key) -> {
      if (key.isJsonPrimitive() && !key.getAsJsonPrimitive().isBoolean()) groups.put(type, key.getAsString());
    });
    Map<String, Map<String, Object>> ofGroups = new LinkedHashMap<>();
    members(context.get("group_properties")).forEach((type, set) -> ofGroups.put(type, properties(set)));
    PostHogFeatureFlagResultOptions options =
        PostHogFeatureFlagResultOptions.builder()
            .personProperties(person)
            .groups(groups)
            .groupProperties(ofGroups)
            .sendFeatureFlagEvent(false)
            .build();
    JsonObject flags = new JsonObject();
    for (String key : keys) {
      if (asked != null && asked.isJsonArray() && !VALUES.fromJson(asked, List.class).contains(key)) continue;
      flags.add(key, verdict(text(context.get("distinct_id")), key, options));
    }
    return flags;
  }

  private JsonObject verdict(String distinctId, String key, PostHogFeatureFlagResultOptions options) {
    JsonObject verdict = new JsonObject();
    log.raised = false;
    FeatureFlagResult result = client.getFeatureFlagResult(distinctId, key, options);
    if (result == null) {
      verdict.addProperty("status", log.raised ? "failed" : "inconclusive");
      return verdict;
    }
    verdict.addProperty("status", "value");
    verdict.add("value", VALUES.toJsonTree(result.getVariant() != null ? result.getVariant() : (Object) result.getEnabled()));
    verdict.add("payload", VALUES.toJsonTree(result.getPayload()));
    return verdict;
  }

  private void serve(HttpExchange exchange) throws IOException {
    exchange.getRequestBody().readAllBytes();
    boolean isDefinitions = exchange.getRequestURI().getPath().startsWith("/api/feature_flag/local_evaluation");
    String etag = "W/\"" + version + "\"";
    boolean unchanged = isDefinitions && etag.equals(exchange.getRequestHeaders().getFirst("If-None-Match"));
    byte[] body = (isDefinitions ? document : NO_FLAGS).getBytes(StandardCharsets.UTF_8);
    if (isDefinitions) {
      served = version;
      exchange.getResponseHeaders().set("ETag", etag);
    }
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(unchanged ? 304 : 200, unchanged ? -1 : body.length);
    if (!unchanged) exchange.getResponseBody().write(body);
    exchange.close();
  }

  private static Map<String, JsonElement> members(JsonElement object) {
    return object == null || object.isJsonNull() ? Map.of() : object.getAsJsonObject().asMap();
  }

  private static Map<String, Object> properties(JsonElement object) {
    if (object == null || object.isJsonNull()) return Map.of();
    return VALUES.fromJson(object, new TypeToken<LinkedHashMap<String, Object>>() {}.getType());
  }

  private static String text(JsonElement value) {
    return value.isJsonPrimitive() ? value.getAsString() : value.toString();
  }

  private static Thread daemon(Runnable work) {
    Thread thread = new Thread(work, "definitions");
    thread.setDaemon(true);
    return thread;
  }

  // A line that is not carried out: the kind and message of its answer.
  private static final class Refusal extends Exception {
    private static final long serialVersionUID = 1;
    final String kind;

    Refusal(String kind, String message) {
      super(message);
      this.kind = kind;
    }
  }

  // The SDK's log: nothing of it is shown, and two of its lines are facts.
  private static final class Log extends PrintStream {
    volatile boolean raised;
    volatile String lastError = "";

    Log() {
      super(OutputStream.nullOutputStream());
    }

    @Override
    public void println(Object line) {
      String text = String.valueOf(line);
      if (text.startsWith(RAISED)) raised = true;
      if (text.contains("loading feature flags") || text.startsWith("Failed to load")) lastError = text;
    }

    @Override
    public void println(String line) {
      println((Object) line);
    }
  }
}
