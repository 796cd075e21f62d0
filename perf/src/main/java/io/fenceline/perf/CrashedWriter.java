package io.fenceline.perf;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/// Opens a journal in a JVM of its own, appends, and ends that JVM without closing: what is left has to be recovered.
///
///     java … io.fenceline.perf.CrashedWriter DIRECTORY ENTRIES PAYLOAD-LENGTH
final class CrashedWriter {
    private static final int EXIT_CODE = 42;

    private CrashedWriter() {}

    public static void main(String[] arguments) {
        Journal journal =
                Journal.open(Path.of(arguments[0]), JournalConfig.defaults().withFullPolicy(FullPolicy.OVERWRITE));
        ExclusiveAppender appender = ExclusiveAppender.open(journal);
        MemorySegment payload = Arena.global().allocate(Integer.parseInt(arguments[2]), 8);
        for (long left = Long.parseLong(arguments[1]); left > 0; left--) {
            if (appender.append(payload) < 0) {
                Runtime.getRuntime().halt(1);
            }
        }
        Runtime.getRuntime().halt(EXIT_CODE);
    }

    /// Runs it and waits for its end.
    ///
    /// @throws IllegalStateException if it did not end as it should
    static void run(Path journal, long entries, int payloadLengthBytes) {
        Process process = ChildJvm.start(
                CrashedWriter.class,
                List.of(),
                journal.toString(),
                Long.toString(entries),
                Integer.toString(payloadLengthBytes));
        try {
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != EXIT_CODE) {
                throw new IllegalStateException("the writer that shall crash ended otherwise: " + output);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
