package io.fenceline.tools;

import io.fenceline.appender.Batch;
import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.SmallJournals;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A small closed journal with frames of many kinds, and commands that run on it in this process.
final class InspectionFixture {
    static final int SEGMENT_LENGTH_BYTES = 4096;
    static final JournalConfig CONFIG = JournalConfig.defaults().withDurability(Durability.PROCESS);

    final Path directory;
    final Path log;

    /// Positions of the frames with entries, and the payload of each one's first entry.
    final List<Long> positions = new ArrayList<>();

    final List<String> payloads = new ArrayList<>();

    InspectionFixture(Path parent) {
        directory = parent.resolve("journal");
        log = directory.resolve("journal.log");
        SmallJournals.create(directory, SEGMENT_LENGTH_BYTES, 4, CONFIG);
    }

    /// Three segments of single entries of growing length, a batch, and an empty entry; closed in order, twice opened.
    InspectionFixture fill() {
        for (int opening = 0; opening < 2; opening++) {
            try (Journal journal = Journal.open(directory, CONFIG);
                    ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                for (int i = 0; i < 12; i++) {
                    append(appender, ("entry " + opening + "." + i + " ").repeat(1 + i * 3));
                }
                Batch batch = appender.batch();
                batch.add(bytes("first of batch"), 7);
                batch.add(bytes("second of batch"), 8);
                positions.add(batch.commit());
                payloads.add("first of batch");
                append(appender, "");
            }
        }
        return this;
    }

    void append(ExclusiveAppender appender, String payload) {
        long position = appender.append(bytes(payload), 5, 1_700_000_000_123_456_789L);
        if (position < 0) {
            throw new IllegalStateException("append returned " + position);
        }
        positions.add(position);
        payloads.add(payload);
    }

    static MemorySegment bytes(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8));
    }

    byte[] readLog() throws IOException {
        return Files.readAllBytes(log);
    }

    void writeLog(byte[] bytes) throws IOException {
        Files.write(log, bytes);
    }

    int fileOffset(long position) {
        return (2 << 20) + (int) (position % (4 * SEGMENT_LENGTH_BYTES));
    }

    /// What a command did.
    record Run(int code, String out, String err) {}

    static Run run(String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        PrintStream errors = new PrintStream(err, true, StandardCharsets.UTF_8);
        int code = Fenceline.run(new Console(new ByteArrayInputStream(new byte[0]), out, errors, false, false), args);
        return new Run(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    Run run(String command, List<String> options) {
        List<String> args = new ArrayList<>(List.of(command, directory.toString()));
        args.addAll(options);
        return run(args.toArray(String[]::new));
    }
}
