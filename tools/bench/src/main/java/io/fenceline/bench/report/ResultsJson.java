package io.fenceline.bench.report;

import static io.fenceline.bench.report.HistogramJson.number;
import static io.fenceline.bench.report.HistogramJson.rounded;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/// Results as JSON: `docs/BENCH.md` describes the file. ASCII only, so that it is harmless on a terminal.
public final class ResultsJson {
    /// What such a file names as its format, and of which version.
    public static final String FORMAT = "fenceline-bench";
    public static final int VERSION = 1;
    private static final JsonFactory FACTORY =
            JsonFactory.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

    private final JsonGenerator json;

    private ResultsJson(JsonGenerator json) {
        this.json = json;
    }

    /// The whole file.
    public static String of(Results results) {
        StringWriter text = new StringWriter(1 << 16);
        try (JsonGenerator json = FACTORY.createGenerator(text)) {
            DefaultPrettyPrinter printer = new DefaultPrettyPrinter();
            printer.indentObjectsWith(new DefaultIndenter(" ", "\n"));
            json.setPrettyPrinter(printer);
            new ResultsJson(json).write(results);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.append('\n').toString();
    }

    /// Reads a text to its end, to know that it is such a file.
    ///
    /// @throws IllegalArgumentException with the reason if it is not
    public static void check(String text) {
        boolean format = false;
        boolean series = false;
        try (JsonParser parser = FACTORY.createParser(text)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new IllegalArgumentException("expected a JSON object");
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                JsonToken value = parser.nextToken();
                if (name.equals("format")) {
                    format = FORMAT.equals(parser.getValueAsString());
                } else if (name.equals("version") && parser.getValueAsInt() != VERSION) {
                    throw new IllegalArgumentException(
                            "expected version " + VERSION + ", found " + parser.getValueAsString());
                } else if (name.equals("series")) {
                    series = value == JsonToken.START_ARRAY;
                }
                parser.skipChildren();
            }
            if (parser.nextToken() != null) {
                throw new IllegalArgumentException("expected one JSON object, found more behind it");
            }
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "not JSON: "
                            + String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
                    e);
        }
        if (!format || !series) {
            throw new IllegalArgumentException(
                    "expected an object with \"format\": \"" + FORMAT + "\" and \"series\": [...]");
        }
    }

    private void write(Results results) throws IOException {
        json.writeStartObject();
        json.writeStringField("format", FORMAT);
        json.writeNumberField("version", VERSION);
        json.writeStringField("tool", results.tool());
        json.writeStringField("title", results.title());
        json.writeStringField("time", results.time().toString());
        json.writeStringField("command", results.command());
        json.writeBooleanField("complete", results.complete());
        json.writeObjectFieldStart("machine");
        for (Map.Entry<String, String> fact : results.machine().entrySet()) {
            json.writeStringField(fact.getKey(), fact.getValue());
        }
        json.writeEndObject();
        json.writeArrayFieldStart("notes");
        for (String note : results.notes()) {
            json.writeString(note);
        }
        json.writeEndArray();
        Results.Cost cost = results.cost();
        if (cost != null) {
            json.writeObjectFieldStart("cost");
            number(json, "timerNs", cost.timerNs());
            number(json, "emptyLoopNs", cost.emptyLoopNs());
            number(json, "fullFenceNs", cost.fullFenceNs());
            json.writeEndObject();
        }
        if (results.pauses() != null) {
            json.writeFieldName("pauses");
            write(results.pauses(), List.of());
        }
        json.writeArrayFieldStart("series");
        for (Series series : results.series()) {
            write(series, series.ratios(results.series()));
        }
        json.writeEndArray();
        if (!results.scans().isEmpty()) {
            write(results.scans());
        }
        json.writeArrayFieldStart("notRun");
        for (Results.NotRun notRun : results.notRun()) {
            json.writeStartObject();
            json.writeStringField("system", notRun.system());
            json.writeStringField("reason", notRun.reason());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void write(Series series, List<Ratio> ratios) throws IOException {
        json.writeStartObject();
        write(series.subject());
        Medium medium = series.medium();
        json.writeStringField("durability", medium.durability());
        json.writeBooleanField("emulated", medium.emulated());
        json.writeStringField("medium", medium.fileSystem());
        json.writeStringField("promises", medium.promises());
        json.writeNumberField("count", series.histogram().getTotalCount());
        write(series.outcome());
        HistogramJson.write(json, series.histogram());
        json.writeArrayFieldStart("intervals");
        for (Interval interval : series.intervals()) {
            json.writeStartArray();
            json.writeNumber(rounded(interval.endSeconds()));
            json.writeNumber(interval.count());
            json.writeNumber(interval.p50Ns());
            json.writeNumber(interval.p99Ns());
            json.writeNumber(interval.maxNs());
            json.writeEndArray();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("ratios");
        for (Ratio ratio : ratios) {
            json.writeStartObject();
            json.writeStringField("to", ratio.to());
            number(json, "nsPerEntry", ratio.nsPerEntry());
            number(json, "p50", ratio.p50());
            number(json, "p99", ratio.p99());
            number(json, "p99.9", ratio.p999());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void write(List<Results.Scan> scans) throws IOException {
        json.writeArrayFieldStart("scans");
        for (Results.Scan scan : scans) {
            json.writeStartObject();
            json.writeStringField("system", scan.system());
            json.writeNumberField("payloadLengthBytes", scan.payloadLengthBytes());
            json.writeStringField("mode", scan.mode());
            number(json, "nsPerEntry", scan.nsPerEntry());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void write(Subject subject) throws IOException {
        json.writeStringField("system", subject.system());
        json.writeBooleanField("limit", subject.limit());
        json.writeStringField("stage", subject.stage().json());
        json.writeNumberField("rate", subject.rate());
        json.writeNumberField("payloadLengthBytes", subject.payloadLengthBytes());
        json.writeNumberField("frameLengthBytes", subject.frameLengthBytes());
        json.writeNumberField("batch", subject.batch());
        json.writeNumberField("threads", subject.threads());
        json.writeNumberField("tailers", subject.tailers());
    }

    private void write(Outcome outcome) throws IOException {
        number(json, "elapsedSeconds", outcome.elapsedSeconds());
        number(json, "entriesPerSecond", outcome.entriesPerSecond());
        Rounds rounds = outcome.nsPerEntry();
        if (!rounds.isEmpty()) {
            number(json, "nsPerEntry", rounds.median());
            json.writeArrayFieldStart("nsPerEntrySpread");
            json.writeNumber(rounded(rounds.least()));
            json.writeNumber(rounded(rounds.greatest()));
            json.writeEndArray();
        }
        json.writeBooleanField("rateReached", outcome.rateReached());
        if (outcome.lost() > 0) {
            json.writeNumberField("lost", outcome.lost());
        }
        number(json, "allocatedBytesPerEntry", outcome.allocatedBytesPerEntry());
        known("gcPauses", outcome.gcPauses());
        known("gcPauseMs", outcome.gcPauseMs());
        known("machinePauseMaxNs", outcome.machinePauseMaxNs());
    }

    private void known(String name, long value) throws IOException {
        if (value >= 0) {
            json.writeNumberField(name, value);
        }
    }
}
