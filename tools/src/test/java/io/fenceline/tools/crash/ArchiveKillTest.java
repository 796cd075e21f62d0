package io.fenceline.tools.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.VerifyReport;
import io.fenceline.tailer.ArchivedTailer;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.TailerConfig;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `fenceline archive -f` in a process of its own, killed again and again beside a writer that laps the ring.
final class ArchiveKillTest {
    private static final String CURSOR = "archive";
    private static final int SEGMENT_LENGTH_BYTES = 16 << 10;
    private static final int LONGEST_LIFE_MS = 60;
    private static final long PATIENCE_NS = 60_000_000_000L;

    /// Goal: nothing is reused before the archiver has confirmed it, also while it is dead; nothing is lost; after each
    /// kill archive and ring are one log, and the archive is a whole journal.
    @ParameterizedTest
    @CsvSource({"PROCESS, 3", "DEVICE, 2"})
    void shouldLoseNothingWhenTheArchiverIsKilled(Durability level, int kills) {
        run(level, kills);
    }

    @Tag("slow")
    @ParameterizedTest
    @CsvSource({"PROCESS, 60", "DEVICE, 60"})
    void shouldLoseNothingWhenTheArchiverIsKilledManyTimes(Durability level, int kills) {
        run(level, kills);
    }

    private static void run(Durability level, int kills) {
        assumeTrue(
                level != Durability.DEVICE || JournalUnderTest.isDeviceThere(),
                "skipped: the build's directory is on a file system in memory");
        long seed = Long.getLong("fenceline.seed", new Random().nextLong());
        System.out.println("ArchiveKillTest: " + level + ", to repeat: mvn verify -pl tools -am -Dtest=ArchiveKillTest"
                + " -Dsurefire.failIfNoSpecifiedTests=false -Dfenceline.seed=" + seed);
        JournalUnderTest journal = JournalUnderTest.create(level, SEGMENT_LENGTH_BYTES, 4, seed, "archive-" + level);
        journal.keepIfFailing(() -> {
            try {
                new Rounds(journal, seed).run(kills);
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
        });
    }

    private static final class Rounds {
        private final Path directory;
        private final Path archive;
        private final Random random;
        private final Workload workload;

        Rounds(JournalUnderTest journal, long seed) {
            directory = journal.directory();
            archive = directory.resolveSibling("archive");
            random = new Random(seed);
            workload = new Workload(seed, 1000);
        }

        void run(int kills) throws IOException, InterruptedException {
            JournalConfig config = JournalConfig.defaults().withFullPolicy(FullPolicy.OVERWRITE);
            try (Journal journal = Journal.open(directory, config);
                    ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                long first = 0;
                for (int kill = 0; kill < kills; kill++) {
                    Process archiver = archiver();
                    try {
                        appendUntilArchived(journal, appender, archiver, first + SEGMENT_LENGTH_BYTES);
                        appendFor(journal, appender, random.nextInt(LONGEST_LIFE_MS));
                    } finally {
                        archiver.destroyForcibly().waitFor();
                    }
                    fill(journal, appender);
                    check(journal, appender.nextSequence());
                    first = confirmed(journal);
                }
                assertTrue(journal.retained() > 0, "nothing was reused");
            }
        }

        private Process archiver() throws IOException {
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx64m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "--enable-native-access=ALL-UNNAMED",
                    "-classpath",
                    System.getProperty("java.class.path"),
                    "io.fenceline.tools.Fenceline"));
            command.addAll(List.of("archive", directory.toString(), archive.toString(), "-f", "--cursor", CURSOR));
            return new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
        }

        /// It has begun, and has confirmed more than the last one.
        private void appendUntilArchived(Journal journal, ExclusiveAppender appender, Process archiver, long position) {
            long startNs = System.nanoTime();
            // Before the first archiver nothing holds the ring: what it is to find must not be lapped.
            while (journal.gates().isEmpty()) {
                requireAlive(archiver, startNs);
            }
            while (confirmed(journal) < position) {
                requireAlive(archiver, startNs);
                append(journal, appender);
            }
        }

        private static void requireAlive(Process archiver, long startNs) {
            assertTrue(archiver.isAlive(), () -> "the archiver ended with " + archiver.exitValue());
            assertTrue(System.nanoTime() - startNs < PATIENCE_NS, "the archiver confirms nothing");
            Thread.onSpinWait();
        }

        private void appendFor(Journal journal, ExclusiveAppender appender, long timeMs) {
            long startNs = System.nanoTime();
            while (System.nanoTime() - startNs < TimeUnit.MILLISECONDS.toNanos(timeMs)) {
                append(journal, appender);
            }
        }

        /// Until the gate of the dead holds.
        private void fill(Journal journal, ExclusiveAppender appender) {
            while (append(journal, appender)) {
                // on
            }
        }

        /// @return false if the ring is full
        private boolean append(Journal journal, ExclusiveAppender appender) {
            long sequence = appender.nextSequence();
            long result = appender.append(
                    MemorySegment.ofArray(workload.payload(0, sequence, false)), workload.type(0, sequence));
            if (result == AppendResult.BACK_PRESSURED) {
                return false;
            }
            assertTrue(result >= 0, () -> AppendResult.describe(result));
            // In this order: what is confirmed only grows.
            long retained = journal.retained();
            if (retained > 0 && sequence % 64 == 0) {
                long confirmed = confirmed(journal);
                assertTrue(retained <= confirmed, () -> "gave up to " + retained + ", confirmed is " + confirmed);
            }
            return true;
        }

        private static long confirmed(Journal journal) {
            return journal.cursors().getFirst().position();
        }

        private void check(Journal journal, long count) {
            long[] next = {0};
            try (ArchivedTailer tailer =
                    ArchivedTailer.open(archive, journal, Start.oldest(), TailerConfig.defaults())) {
                int polled;
                do {
                    polled = tailer.poll(
                            entry -> {
                                long sequence = next[0]++;
                                assertEquals(sequence, entry.sequence());
                                assertEquals(workload.type(0, sequence), entry.type());
                                assertTrue(
                                        MemorySegment.ofArray(entry.toByteArray())
                                                        .mismatch(MemorySegment.ofArray(
                                                                workload.payload(0, sequence, false)))
                                                < 0,
                                        () -> entry + " has other bytes than were appended");
                            },
                            100);
                } while (polled > 0);
                assertEquals(0, polled);
            }
            assertEquals(count, next[0], "entries of archive and ring");
            try (ReadOnlyJournal kept = Journal.openReadOnly(archive)) {
                assertEquals(0, kept.retained());
                long end = kept.published();
                assertTrue(journal.retained() <= confirmed(journal), "reused before it was confirmed");
                assertTrue(confirmed(journal) <= end, "confirmed before it was archived");
            }
            VerifyReport report = Journal.verify(archive);
            assertTrue(report.isWhole(), report::toString);
        }
    }
}
