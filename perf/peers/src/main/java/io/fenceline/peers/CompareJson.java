package io.fenceline.peers;

import static io.fenceline.bench.report.HistogramJson.number;
import static io.fenceline.bench.report.HistogramJson.rounded;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.fenceline.bench.report.HistogramJson;
import io.fenceline.bench.report.ResultsJson;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/// A comparison as the kind of file that `docs/BENCH.md` describes, so that the same page draws it; beside that
/// `scans`, which it ignores.
final class CompareJson {
    private final JsonGenerator json;
    private final Comparison comparison;

    private CompareJson(JsonGenerator json, Comparison comparison) {
        this.json = json;
        this.comparison = comparison;
    }

    /// @param machine facts, in order
    /// @param media   kind of the file system of each class
    static String of(
            Comparison comparison,
            List<Catalog> peers,
            Instant time,
            Map<String, String> machine,
            Map<Catalog.Kind, String> media) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.useDefaultPrettyPrinter();
            new CompareJson(json, comparison).write(peers, time, machine, media);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.append('\n').toString();
    }

    private void write(List<Catalog> peers, Instant time, Map<String, String> machine, Map<Catalog.Kind, String> media)
            throws IOException {
        json.writeStartObject();
        json.writeStringField("format", ResultsJson.FORMAT);
        json.writeNumberField("version", ResultsJson.VERSION);
        json.writeStringField("tool", "perf/bin/compare");
        json.writeStringField("title", "Fenceline beside its peers");
        json.writeStringField("time", time.toString());
        json.writeStringField("command", "perf/bin/compare");
        json.writeBooleanField("complete", true);
        json.writeObjectFieldStart("machine");
        for (Map.Entry<String, String> fact : machine.entrySet()) {
            json.writeStringField(fact.getKey(), fact.getValue());
        }
        json.writeEndObject();
        json.writeArrayFieldStart("notes");
        json.writeString("each peer in a JVM of its own, rounds interleaved; a peer reads its clock in every latency");
        for (Catalog peer : peers) {
            if (!comparison.description(peer).isEmpty()) {
                json.writeString(peer.title() + " (" + peer.kind() + "): " + comparison.description(peer));
            }
        }
        json.writeEndArray();
        json.writeArrayFieldStart("series");
        for (Catalog peer : peers) {
            String medium = media.getOrDefault(peer.kind(), "");
            for (String task : comparison.tasks(peer)) {
                if (!task.startsWith("scan")) {
                    series(peer, task, medium);
                }
            }
        }
        json.writeEndArray();
        scans(peers);
        json.writeArrayFieldStart("notRun");
        for (Catalog peer : peers) {
            if (!comparison.failure(peer).isEmpty()) {
                json.writeStartObject();
                json.writeStringField("system", peer.title() + ", " + peer.kind());
                json.writeStringField("reason", comparison.failure(peer));
                json.writeEndObject();
            }
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void series(Catalog peer, String task, String medium) throws IOException {
        Comparison.Found found = comparison.require(peer, task);
        String[] fields = task.split(":", -1);
        boolean saturated = fields[0].equals("append");
        boolean tail = fields[0].equals("tail");
        json.writeStartObject();
        json.writeStringField("system", peer.title());
        json.writeBooleanField("limit", peer.limit());
        json.writeStringField("stage", tail ? "tail" : "append");
        json.writeNumberField("rate", saturated ? 0 : Integer.parseInt(fields[2]));
        json.writeNumberField("payloadLengthBytes", Integer.parseInt(fields[1]));
        json.writeNumberField("frameLengthBytes", 0);
        json.writeNumberField("batch", 1);
        json.writeNumberField("threads", 1);
        json.writeNumberField("tailers", tail ? 1 : 0);
        json.writeStringField(
                "durability",
                peer.kind() == Catalog.Kind.NOTHING ? "none" : peer.kind().name());
        json.writeBooleanField("emulated", peer.kind() == Catalog.Kind.MEMORY);
        json.writeStringField("medium", medium);
        json.writeStringField("promises", peer.promises());
        if (saturated) {
            double ns = found.median();
            number(json, "entriesPerSecond", 1e9 / ns);
            number(json, "nsPerEntry", ns);
            Comparison.Spread spread =
                    Comparison.Spread.of(List.copyOf(found.rounds().values()));
            json.writeArrayFieldStart("nsPerEntrySpread");
            json.writeNumber(rounded(spread.least()));
            json.writeNumber(rounded(spread.greatest()));
            json.writeEndArray();
            Comparison.Spread allocated =
                    Comparison.Spread.of(List.copyOf(found.extra().values()));
            number(json, "allocatedBytesPerEntry", allocated.median());
        } else {
            json.writeBooleanField("rateReached", tail || found.extraSum() == 0);
        }
        json.writeNumberField("count", found.all().getTotalCount());
        HistogramJson.write(json, found.all());
        json.writeEndObject();
    }

    private void scans(List<Catalog> peers) throws IOException {
        json.writeArrayFieldStart("scans");
        for (Catalog peer : peers) {
            for (String task : comparison.tasks(peer)) {
                if (task.startsWith("scan")) {
                    String[] fields = task.split(":", -1);
                    json.writeStartObject();
                    json.writeStringField("system", peer.title());
                    json.writeNumberField("payloadLengthBytes", Integer.parseInt(fields[1]));
                    json.writeStringField("mode", fields[2]);
                    number(json, "nsPerEntry", comparison.require(peer, task).median());
                    json.writeEndObject();
                }
            }
        }
        json.writeEndArray();
    }
}
