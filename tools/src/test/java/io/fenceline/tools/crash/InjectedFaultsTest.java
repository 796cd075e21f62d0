package io.fenceline.tools.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import io.fenceline.tools.crash.Report.Kind;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A second opinion on faults of the storage, without any layer of ours, in a real process: the kernel's answer to a
/// system call on `journal.log` is replaced, by strace, or a function of the C library fails, by libfiu.
@Tag("slow")
final class InjectedFaultsTest {
    private static @Nullable FiuJvm fiuJvm;

    @BeforeEach
    void requireDevice() {
        assumeTrue(JournalUnderTest.isDeviceThere(), "the build's directory is on a file system in memory: no DEVICE");
    }

    /// One for all tests; not in a temporary directory of JUnit's, which warns of each link.
    private static FiuJvm fiuJvm() throws IOException, InterruptedException {
        if (fiuJvm == null) {
            fiuJvm = FiuJvm.create(Files.createTempDirectory(Files.createDirectories(Path.of("target", "fiu")), "jvm"));
        }
        return fiuJvm;
    }

    private static void requireStrace() throws InterruptedException {
        int exit;
        try {
            exit = new ProcessBuilder("strace", "-f", "-o", "/dev/null", "true")
                    .start()
                    .waitFor();
        } catch (IOException e) {
            exit = -1;
        }
        assumeTrue(exit == 0, "there is no strace, or it may not trace: faults of system calls are not injected");
    }

    private static List<String> strace(JournalUnderTest journal, String call, String error, String when) {
        return List.of(
                "strace",
                "-f",
                "-o",
                "/dev/null",
                "-P",
                journal.log().toString(),
                "-e",
                "trace=" + call,
                "-e",
                "inject=" + call + ":error=" + error + ":when=" + when);
    }

    // I1, I15. One call fails, and the next ones would succeed; or all fail from there on. Then whoever asks is
    // refused, and the next process finds all that was acknowledged.
    @ParameterizedTest
    @CsvSource({
        "EXCLUSIVE, 1, fdatasync, EIO, 5, 40",
        "EXCLUSIVE, 1, fdatasync, EIO, 5, 40+",
        "EXCLUSIVE, 1, pwrite64, EIO, 5, 60",
        "EXCLUSIVE, 1, pwrite64, ENOSPC, 28, 60+",
        "GROUP, 4, fdatasync, EIO, 5, 40",
        "GROUP, 4, fdatasync, EIO, 5, 40+",
        "GROUP, 4, pwrite64, EIO, 5, 60",
    })
    void shouldAcknowledgeNothingAfterTheFaultOfASystemCall(
            String appender, int threads, String call, String error, int errno, String when)
            throws InterruptedException {
        requireStrace();
        JournalUnderTest journal = JournalUnderTest.create(Durability.DEVICE, 1 << 20, 8, 3, "injected");
        journal.keepIfFailing(() -> {
            List<Report> reports;
            try (ChildProcess child = ChildProcess.start(
                    strace(journal, call, error, when),
                    StubbornChild.class.getName(),
                    journal.directory().toString(),
                    appender,
                    Integer.toString(threads))) {
                assertEquals(0, child.exitCode(), child::errors);
                reports = child.rest();
            }
            assertNothingIsAcknowledgedAfterAFault(journal, reports, appender, threads, errno);
        });
    }

    // The same by libfiu, which fails calls from a moment on, or one of them.
    @ParameterizedTest
    @CsvSource({
        "EXCLUSIVE, 1, posix/io/sync/fdatasync, 5, true",
        "EXCLUSIVE, 1, posix/io/sync/fdatasync, 5, false",
        "EXCLUSIVE, 1, posix/io/rw/pwrite, 28, true",
        "GROUP, 4, posix/io/sync/fdatasync, 5, true",
        "GROUP, 4, posix/io/sync/fdatasync, 5, false",
        "GROUP, 4, posix/io/rw/pwrite, 28, false",
    })
    void shouldAcknowledgeNothingAfterAFunctionOfTheCLibraryHasFailed(
            String appender, int threads, String call, int errno, boolean once)
            throws IOException, InterruptedException {
        FiuJvm jvm = fiuJvm();
        JournalUnderTest journal = JournalUnderTest.create(Durability.DEVICE, 1 << 20, 8, 3, "injected");
        journal.keepIfFailing(() -> {
            List<Report> reports = new ArrayList<>();
            try (ChildProcess child = ChildProcess.start(
                    jvm.program(),
                    jvm.java(),
                    StubbornChild.class.getName(),
                    journal.directory().toString(),
                    appender,
                    Integer.toString(threads))) {
                for (int i = 0; i < 40; i++) {
                    reports.add(child.await(Kind.FRAME));
                }
                jvm.fail(child.pid(), call, errno, once);
                assertEquals(0, child.exitCode(), child::errors);
                reports.addAll(child.rest());
            }
            assertNothingIsAcknowledgedAfterAFault(journal, reports, appender, threads, errno);
        });
    }

    private static void assertNothingIsAcknowledgedAfterAFault(
            JournalUnderTest journal, List<Report> reports, String appender, int threads, int errno) {
        Set<String> acknowledged = new HashSet<>();
        Map<Long, Long> failedAt = new HashMap<>();
        boolean firstFault = false;
        for (Report report : reports) {
            if (report.kind() == Kind.FRAME) {
                long thread = report.low();
                assertFalse(failedAt.containsKey(thread), () -> "acknowledged after a fault: " + report);
                acknowledged.add(report.high() + " " + thread + " " + report.sequence());
            } else {
                assertEquals(Kind.FAILED, report.kind());
                failedAt.putIfAbsent(report.position(), report.sequence());
                // Whoever is refused is told why; the appender that met the fault itself, by that.
                assertEquals(errno, report.high(), report::toString);
                assertTrue(report.low() == 1 || !firstFault, "the fault itself is told once");
                firstFault |= report.low() == 0;
            }
        }
        assertEquals(appender.equals("EXCLUSIVE"), firstFault, "the append that met the fault was told so");
        assertEquals(threads, failedAt.size(), "threads that were refused");
        assertTrue(acknowledged.size() >= 10, () -> "acknowledged: " + acknowledged);
        assertFound(journal, acknowledged);
    }

    private static void assertFound(JournalUnderTest under, Set<String> acknowledged) {
        try (Journal journal = Journal.open(under.directory());
                Tailer tailer = Tailer.open(journal, Start.oldest())) {
            assertEquals(
                    RecoveryReport.Verdict.RECOVERED, journal.recovery().verdict(), "a poisoned journal is not clean");
            Set<String> lost = new HashSet<>(acknowledged);
            while (tailer.poll(
                            entry -> {
                                MemorySegment words = MemorySegment.ofArray(entry.toByteArray());
                                lost.remove(words.get(ManyThreadsChild.I64, 0) + " "
                                        + words.get(ManyThreadsChild.I64, 8) + " "
                                        + words.get(ManyThreadsChild.I64, 16));
                            },
                            256)
                    > 0) {}
            assertEquals(Set.of(), lost);
        }
        assertTrue(Journal.verify(under.directory()).isWhole());
    }

    // What recovery cannot read is a refusal; nothing is changed, and the next opening keeps everything.
    @ParameterizedTest
    @CsvSource({"pread64, 1+", "fsync, 1", "fdatasync, 1"})
    void shouldRefuseToOpenWhereASystemCallFails(String call, String when) throws InterruptedException {
        requireStrace();
        JournalUnderTest journal = JournalUnderTest.create(Durability.DEVICE, 1 << 20, 8, 4, "injected");
        journal.keepIfFailing(() -> {
            Witness witness = new Witness(journal);
            try (Children children = new Children(1)) {
                ChildProcess writer = children.writer(journal, "OVERWRITE", 30, "wait");
                witness.opened(writer.await(Kind.OPENED), writer.await(Kind.NEXT));
                for (int i = 0; i < 30; i++) {
                    witness.acknowledged(writer.await(Kind.FRAME));
                }
                writer.kill();
            }
            try (ChildProcess child = ChildProcess.start(
                    strace(journal, call, "EIO", when),
                    StubbornChild.class.getName(),
                    journal.directory().toString(),
                    "EXCLUSIVE",
                    "1")) {
                assertEquals(Child.REFUSED, child.exitCode(), child::errors);
                assertEquals(List.of(), child.rest());
                assertTrue(child.errors().contains(call.equals("pread64") ? "read" : call), child::errors);
            }
            try (Journal opened = Journal.open(journal.directory())) {
                witness.opened(opened);
                witness.check(opened);
            }
        });
    }
}
