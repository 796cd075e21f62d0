package io.fenceline.tailer;

import static io.fenceline.tailer.Journals.append;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.GateStatus;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.JournalSource;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.Team;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(180)
class GateTest {
    @TempDir
    Path temporary;

    private Path directory() {
        return temporary.resolve("journal");
    }

    private static JournalConfig config(FullPolicy policy) {
        return Journals.CONFIG.withFullPolicy(policy);
    }

    /// Appends entries of one size until it is refused.
    ///
    /// @return the result of the append that was refused
    private static long fill(ExclusiveAppender appender) {
        for (int i = 0; i < 10_000; i++) {
            long sequence = appender.nextSequence();
            long result = appender.append(MemorySegment.ofArray(Journals.payload(sequence, 100)), (int) sequence * 7);
            if (result < 0) {
                return result;
            }
        }
        return 0;
    }

    private static CursorConfig gating() {
        return CursorConfig.defaults().withGating(true);
    }

    @Test
    void shouldHoldTheRingUntilTheTailerHasPolledOrIsClosed() {
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            append(appender, 100);
            GatingTailer tailer = GatingTailer.open(journal, Start.oldest());
            assertEquals(AppendResult.BACK_PRESSURED, fill(appender));
            assertEquals(0, journal.retained());
            assertEquals(journal.published(), journal.gates().getFirst().lagBytes());
            assertEquals(appender.nextSequence(), journal.gates().getFirst().lagEntries());
            assertEquals("", journal.gates().getFirst().cursor());
            assertEquals(0, journal.retain(journal.published()), "retain must not pass a gate");
            assertEquals(15, tailer.poll(Journals::check, 15));
            assertEquals(AppendResult.BACK_PRESSURED, fill(appender));
            assertEquals(0, journal.retained(), "the gate is in the first segment still");
            assertEquals(10, tailer.poll(Journals::check, 10));
            assertEquals(AppendResult.BACK_PRESSURED, fill(appender));
            assertEquals(4096, journal.retained());
            assertTrue(tailer.gatePosition() < 8192);
            tailer.close();
            tailer.close();
            assertEquals(List.of(), journal.gates());
            assertEquals(0, fill(appender), "nobody holds it any more");
        }
    }

    /// Goal: FAIL stays FULL and BLOCK waits; with retention for gates only, both go on as the gate moves.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldMakeRoomBehindTheGatesWhenConfigured(boolean gatesOnly) {
        Journals.open(directory(), 4096, 4).close();
        JournalConfig fail = config(FullPolicy.FAIL).withRetainedForGatesOnly(gatesOnly);
        try (Journal journal = Journal.open(directory(), fail);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            assertEquals(AppendResult.FULL, fill(appender), "without a gate only retain makes room");
            try (GatingTailer tailer = GatingTailer.open(journal, Start.oldest())) {
                assertEquals(AppendResult.FULL, fill(appender));
                assertEquals(60, tailer.poll(Journals::check, 60));
                long next = appender.nextSequence();
                assertEquals(AppendResult.FULL, fill(appender));
                assertEquals(gatesOnly, appender.nextSequence() > next);
            }
        }
        JournalConfig block = config(FullPolicy.BLOCK)
                .withRetainedForGatesOnly(gatesOnly)
                .withBlockTimeoutNs(gatesOnly ? Long.MAX_VALUE : 5_000_000);
        try (Journal journal = Journal.open(directory(), block);
                ExclusiveAppender appender = ExclusiveAppender.open(journal);
                GatingTailer tailer = GatingTailer.open(journal, Start.oldest())) {
            long next = tailer.tailer().nextSequence();
            if (!gatesOnly) {
                assertEquals(AppendResult.FULL, fill(appender));
                return;
            }
            AtomicLong seen = new AtomicLong(next);
            long end = appender.nextSequence() + 10_000;
            Team.of(2, member -> {
                        if (member == 0) {
                            assertEquals(0, fill(appender));
                        } else {
                            while (seen.get() < end) {
                                assertTrue(tailer.poll(
                                                entry -> {
                                                    Journals.check(entry);
                                                    assertEquals(seen.getAndIncrement(), entry.sequence());
                                                },
                                                50)
                                        >= 0);
                            }
                        }
                    })
                    .begin()
                    .join();
        }
    }

    /// Goal: Dekker. Tailers register at the oldest entry all the time while a writer overwrites lap after lap:
    /// one that is registered is never overrun.
    @Test
    void shouldNeverOverrunWhoIsRegistered() {
        long end = 60_000;
        try (Journal journal = Journals.open(directory(), 4096, 3);
                ReadOnlyJournal reader = Journal.openReadOnly(directory());
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            AtomicBoolean done = new AtomicBoolean();
            AtomicLong registered = new AtomicLong();
            append(appender, 1);
            Team.of(3, member -> {
                        if (member == 0) {
                            while (appender.nextSequence() < end) {
                                long sequence = appender.nextSequence();
                                byte[] payload = Journals.payload(sequence, 200);
                                long result = appender.append(MemorySegment.ofArray(payload), (int) sequence * 7);
                                assertTrue(result >= 0 || result == AppendResult.BACK_PRESSURED);
                                if (result < 0) {
                                    Thread.yield();
                                }
                            }
                            done.set(true);
                        } else {
                            while (!done.get()) {
                                JournalSource source = member == 1 ? journal : reader;
                                try (GatingTailer tailer = GatingTailer.open(source, Start.oldest())) {
                                    registered.incrementAndGet();
                                    int more = 1 + (int) (registered.get() % 40);
                                    for (int i = 0; i < more; i++) {
                                        assertTrue(tailer.poll(Journals::check, 3) >= 0, "overrun");
                                    }
                                }
                            }
                        }
                    })
                    .begin()
                    .join();
            assertTrue(registered.get() > 50, "registered " + registered);
            assertTrue(journal.retained() > 100 * journal.capacityBytes());
            assertEquals(List.of(), journal.gates());
        }
    }

    /// Goal: Dekker again. Tailers go back to the oldest entry all the time while a writer overwrites lap after lap:
    /// where one has been put, it is not overrun.
    @Test
    void shouldHoldTheRingWhereItIsPutBack() {
        long end = 15_000;
        try (Journal journal = Journals.open(directory(), 4096, 3);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            AtomicBoolean done = new AtomicBoolean();
            AtomicLong back = new AtomicLong();
            append(appender, 1);
            Team.of(3, member -> {
                        if (member == 0) {
                            while (appender.nextSequence() < end) {
                                long sequence = appender.nextSequence();
                                byte[] payload = Journals.payload(sequence, 200);
                                long result = appender.append(MemorySegment.ofArray(payload), (int) sequence * 7);
                                assertTrue(result >= 0 || result == AppendResult.BACK_PRESSURED);
                                if (result < 0) {
                                    Thread.yield();
                                }
                            }
                            done.set(true);
                            return;
                        }
                        try (GatingTailer tailer = GatingTailer.open(journal, Start.oldest())) {
                            while (!done.get()) {
                                tailer.skipTo(Start.oldest());
                                assertEquals(tailer.tailer().position(), tailer.gatePosition());
                                int more = 1 + (int) (back.incrementAndGet() % 40);
                                for (int i = 0; i < more; i++) {
                                    assertTrue(tailer.poll(Journals::check, 3) >= 0, "overrun");
                                }
                            }
                        }
                    })
                    .begin()
                    .join();
            assertTrue(back.get() > 50, "put back " + back);
            assertTrue(journal.retained() > 100 * journal.capacityBytes());
        }
    }

    /// Goal: a stopped process holds the ring however long it is silent; a killed one does not, and nobody waits
    /// for it.
    @Test
    void shouldReleaseTheGateByProofOfDeathOnly() throws Exception {
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            for (int i = 0; i < 10; i++) {
                append(appender, 100);
            }
            Process holder = Journals.java(GateHolder.class, directory());
            try (BufferedReader out = holder.inputReader(StandardCharsets.UTF_8)) {
                assertEquals("held", out.readLine());
                assertEquals(holder.pid(), journal.gates().getFirst().ownerPid());
                assertEquals(
                        0,
                        new ProcessBuilder("sh", "-c", "kill -STOP " + holder.pid())
                                .start()
                                .waitFor());
                for (int i = 0; i < 20; i++) {
                    assertEquals(AppendResult.BACK_PRESSURED, fill(appender));
                }
                assertEquals(1, journal.gates().size());
            } finally {
                holder.destroyForcibly();
                assertTrue(holder.waitFor(100, TimeUnit.SECONDS));
            }
            assertEquals(List.of(), journal.gates());
            assertEquals(0, fill(appender));
            assertTrue(journal.retained() > 0);
        }
    }

    /// Goal: the gate of a cursor outlives its process, a reopening, and a reboot (for which the shared words are
    /// removed): it goes with the cursor only. It stands where the cursor has *committed*.
    @Test
    void shouldHoldForACursorUntilItIsRemoved() throws Exception {
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            for (int i = 0; i < 30; i++) {
                append(appender, 100);
            }
            Process holder = Journals.java(GateHolder.class, directory(), "billing", 5);
            try (BufferedReader out = holder.inputReader(StandardCharsets.UTF_8)) {
                assertEquals("held", out.readLine());
            } finally {
                holder.destroyForcibly();
                assertTrue(holder.waitFor(100, TimeUnit.SECONDS));
            }
            assertEquals(AppendResult.BACK_PRESSURED, fill(appender));
            try (Cursor cursor = Cursor.open(journal, "billing", gating())) {
                assertEquals(5, cursor.nextSequence());
                assertEquals(40, cursor.poll(Journals::check, 40));
                assertEquals(AppendResult.BACK_PRESSURED, fill(appender));
                assertEquals(0, journal.retained(), "what is polled is not committed");
                cursor.commit();
            }
            assertEquals(AppendResult.BACK_PRESSURED, fill(appender));
            assertEquals(8192, journal.retained());
        }
        for (boolean rebooted : new boolean[] {false, true}) {
            if (rebooted) {
                Files.delete(directory().resolve("readers.run"));
            }
            try (Journal journal = Journal.open(directory(), Journals.CONFIG);
                    ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                assertEquals(AppendResult.BACK_PRESSURED, fill(appender));
                assertEquals(8192, journal.retained());
                GateStatus gate = journal.gates().getFirst();
                assertEquals("billing", gate.cursor());
                assertEquals(journal.cursors().getFirst().position(), gate.position());
            }
        }
        try (Journal journal = Journal.open(directory(), Journals.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            assertTrue(Cursor.remove(journal, "billing"));
            assertEquals(List.of(), journal.gates());
            assertEquals(0, fill(appender));
        }
    }

    @Test
    void shouldLetACursorGoWhenItIsOpenedWithoutGating() {
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            append(appender, 100);
            Cursor.open(journal, "billing", gating()).close();
            assertEquals(AppendResult.BACK_PRESSURED, fill(appender));
            assertTrue(journal.cursors().getFirst().isGating());
            Cursor.open(journal, "billing", CursorConfig.defaults()).close();
            assertFalse(journal.cursors().getFirst().isGating());
            assertEquals(0, fill(appender));
            try (Cursor cursor = Cursor.open(journal, "billing", gating())) {
                assertEquals(Tailer.OVERRUN, cursor.poll(Journals::check, 1));
                assertEquals(AppendResult.BACK_PRESSURED, fill(appender), "it holds where it stands now");
                int rest = 0;
                for (int n = cursor.poll(Journals::check, 100); n > 0; n = cursor.poll(Journals::check, 100)) {
                    rest += n;
                }
                assertTrue(rest > 50, "rest " + rest);
            }
        }
    }

    @Test
    void shouldNotHoldForWhoIsPastTheLimitOfLag() {
        Journals.open(directory(), 4096, 4).close();
        JournalConfig config = Journals.CONFIG.withGateLagLimitBytes(10_000);
        try (Journal journal = Journal.open(directory(), config);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            append(appender, 100);
            try (Cursor cursor = Cursor.open(journal, "slow", gating());
                    GatingTailer tailer = GatingTailer.open(journal, Start.oldest())) {
                assertEquals(0, fill(appender));
                assertEquals(Tailer.OVERRUN, cursor.poll(Journals::check, 1));
                assertEquals(Tailer.OVERRUN, tailer.poll(Journals::check, 1));
                assertTrue(cursor.tailer().missedEntries() > 9000);
                cursor.commit();
                assertEquals(journal.retained(), tailer.gatePosition());
                assertEquals(journal.retained(), cursor.committedPosition());
            }
        }
    }

    @Test
    void shouldTellWhenAllGatesAreTaken() {
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ReadOnlyJournal reader = Journal.openReadOnly(directory())) {
            List<GatingTailer> tailers = new ArrayList<>();
            for (int i = 0; i < 2048; i++) {
                tailers.add(GatingTailer.open(i % 2 == 0 ? journal : reader, Start.oldest()));
            }
            JournalException e = assertThrows(JournalException.class, () -> GatingTailer.open(journal, Start.oldest()));
            assertTrue(String.valueOf(e.getMessage()).contains("all 2048 gates are taken"), e::getMessage);
            assertEquals(2048, reader.gates().size());
            tailers.get(77).close();
            GatingTailer.open(reader, Start.oldest()).close();
            tailers.forEach(GatingTailer::close);
            assertEquals(List.of(), reader.gates());
        }
    }

    /// Goal: a tailer whose journal was closed under it does nothing to the gate that another one has now.
    @Test
    void shouldLeaveTheGateAloneWhenItsJournalIsClosed() {
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            append(appender, 100);
            ReadOnlyJournal reader = Journal.openReadOnly(directory());
            GatingTailer old = GatingTailer.open(reader, Start.oldest());
            reader.close();
            try (GatingTailer tailer = GatingTailer.open(journal, Start.oldest())) {
                assertEquals(Tailer.CLOSED, old.poll(Journals::check, 1));
                old.close();
                assertEquals(1, journal.gates().size());
                assertEquals(AppendResult.BACK_PRESSURED, fill(appender));
                assertEquals(0, tailer.gatePosition());
            }
        }
    }

    /// Goal: what a reader writes into the shared words can hold the ring, and no more.
    @Test
    void shouldNotBeHarmedByNonsenseInTheSharedWords() throws IOException {
        Journals.open(directory(), 4096, 4).close();
        byte[] words = Files.readAllBytes(directory().resolve("readers.run"));
        for (int at = 4096; at < words.length; at += 128) {
            words[at] = (byte) (at / 128 % 4); // free, EPHEMERAL, CURSOR, unknown
            words[at + 15] = (byte) (at / 128 % 3 == 0 ? 0x80 : 0x7F);
            words[at + 27] = (byte) (at >> 10);
        }
        words[47] = 0x7F;
        Files.write(directory().resolve("readers.run"), words);
        try (Journal journal = Journal.open(directory(), Journals.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            assertEquals(0, fill(appender));
            assertEquals(512, journal.gates().size());
            try (GatingTailer tailer = GatingTailer.open(journal, Start.oldest())) {
                assertEquals(AppendResult.BACK_PRESSURED, fill(appender));
                assertEquals(5, tailer.poll(Journals::check, 5));
            }
        }
    }
}
