package io.fenceline.tools.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import io.fenceline.tools.crash.Report.Kind;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A writer process with many threads is killed, five times each; what its threads were told is in another process by
/// then. Everything told and still retained is recovered, at its place, and each thread's entries are in order.
class ManyThreadsKillTest {
    private static final int KILLS = 5;

    @ParameterizedTest
    @CsvSource({"PROCESS, CONCURRENT", "MEMORY, CONCURRENT", "MEMORY, GROUP", "DEVICE, GROUP"})
    void shouldKeepWhatManyThreadsWereTold(Durability durability, String appender) {
        if (durability == Durability.DEVICE && !JournalUnderTest.isDeviceThere()) {
            return;
        }
        JournalUnderTest journal = JournalUnderTest.create(durability, 64 << 10, 3, 1, "threads");
        journal.keepIfFailing(() -> {
            List<Report> told = new ArrayList<>();
            for (int kill = 0; kill < KILLS; kill++) {
                try (ChildProcess child = ChildProcess.start(
                        ManyThreadsChild.class.getName(), journal.directory().toString(), appender)) {
                    for (int i = 0; i < 200; i++) {
                        told.add(child.await(Kind.FRAME));
                    }
                    child.kill();
                    told.addAll(child.rest());
                }
                check(journal, told);
            }
            assertTrue(told.size() >= KILLS * 200);
        });
    }

    private static void check(JournalUnderTest under, List<Report> told) {
        try (Journal journal = Journal.open(under.directory());
                Tailer tailer = Tailer.open(journal, Start.oldest())) {
            Map<String, Long> found = new HashMap<>();
            Map<String, Long> numbers = new HashMap<>();
            int polled;
            do {
                polled = tailer.poll(
                        entry -> {
                            byte[] bytes = entry.toByteArray();
                            long epoch = MemorySegment.ofArray(bytes).get(ManyThreadsChild.I64, 0);
                            long thread = MemorySegment.ofArray(bytes).get(ManyThreadsChild.I64, 8);
                            long number = MemorySegment.ofArray(bytes).get(ManyThreadsChild.I64, 16);
                            assertEquals(entry.epoch(), epoch);
                            assertTrue(
                                    Arrays.equals(ManyThreadsChild.payload(epoch, (int) thread, (int) number), bytes));
                            Long before = numbers.put(epoch + " " + thread, number);
                            assertTrue(before == null || before < number, "order of a thread");
                            found.put(epoch + " " + thread + " " + number, entry.position());
                        },
                        256);
            } while (polled > 0);
            assertEquals(0, polled);
            for (Report report : told) {
                if (report.position() >= journal.retained()) {
                    String key = report.high() + " " + report.low() + " " + report.sequence();
                    assertEquals(report.position(), found.get(key), () -> "I1: epoch, thread, number " + key);
                }
            }
        }
    }
}
