package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The ⚠ rules of DESIGN §3 and §5 that apply to one appender, seen in the operations on a simulated medium.
class ExclusiveAppenderRulesTest {
    private static final JournalConfig CONFIG =
            JournalConfig.defaults().withTimestampMode(TimestampMode.NONE).withFullPolicy(FullPolicy.OVERWRITE);
    private static final MemorySegment HELLO =
            MemorySegment.ofArray("hello".getBytes(StandardCharsets.UTF_8)).asReadOnly();

    private static SimulatedJournal tiny(Durability level) {
        return SimulatedJournal.create(level, Geometry.of(4096, 3));
    }

    private static MemorySegment payload(int length) {
        return MemorySegment.ofArray(new byte[length]);
    }

    /// §2, §5: one sweep and one fence per append, each line of the frame stored once, no line rewritten.
    @ParameterizedTest
    @EnumSource(Durability.class)
    void shouldUseOneDrainAndStoreEachLineOnce(Durability level) {
        SimulatedJournal journal = SimulatedJournal.create(level, Geometry.of(1 << 20, 2));
        SimulatedMedium medium = journal.medium();
        Positions positions = journal.open(CONFIG);
        long needless = medium.needlessDrains(); // the record of the creation was durable, and is persisted again
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            appender.append(HELLO);
            for (int length = 0; length < 5000; length += 37) {
                long drains = medium.count(Kind.DRAIN);
                int lines = medium.linesStored();
                long records = positions.lease();
                long position = appender.append(payload(length));
                int expected = (48 + length + 63) / 64;
                if (positions.lease() == records) {
                    assertEquals(1, medium.count(Kind.DRAIN) - drains, "drains of an append of " + length);
                    assertEquals(expected, medium.linesStored() - lines, "lines of an append of " + length);
                }
                for (long at = position; at < position + expected * 64L; at += 64) {
                    assertEquals(
                            1, medium.stores(journal.superblock().geometry().fileOffset(at)));
                }
            }
        }
        assertEquals(needless, medium.needlessDrains());
        assertTrue(positions.close());
    }

    /// §3, §5: a tailer sees only what is durable. Whatever an append stores or drains, `published` stands still until
    /// it is done: singles, batches, runs of frames, with PADs and leases on the way.
    @ParameterizedTest
    @EnumSource(Durability.class)
    void shouldPublishOnlyAfterTheLastDrain(Durability level) {
        SimulatedJournal journal = tiny(level);
        Positions positions = journal.open(CONFIG);
        long[] shown = {positions.run().published()};
        journal.medium()
                .observe((medium, operation) ->
                        assertEquals(shown[0], positions.run().published(), () -> "published before " + operation));
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            for (int i = 0; i < 200; i++) {
                int length = i * 97 % 1000;
                long position = switch (i % 3) {
                    case 0 -> appender.append(payload(length));
                    case 1 -> {
                        Batch batch = appender.batch();
                        assertTrue(batch.add(payload(length / 2)) && batch.add(payload(3)));
                        yield batch.commit();
                    }
                    default -> {
                        FrameRun run = appender.run(Integer.MAX_VALUE);
                        run.add(payload(700), 700, 0);
                        run.add(payload(700), 700, 0);
                        assertEquals(2, run.frames());
                        yield appender.commit(run, 0);
                    }
                };
                assertTrue(position >= shown[0], () -> AppendResult.describe(position));
                shown[0] = positions.run().published();
                assertEquals(appender.position(), shown[0]);
            }
        }
        journal.medium().observe((medium, operation) -> {});
        assertTrue(positions.close());
    }

    /// Every store below the durable lease (§3); lease within the ring; floor and its sequence a pair of one
    /// moment, the start of a frame; retained only with floor and published behind it, in the same record.
    @ParameterizedTest
    @EnumSource(
            value = Durability.class,
            names = {"MEMORY", "DEVICE"})
    void shouldKeepThePositionsInOrderInEveryRecord(Durability level) {
        SimulatedJournal journal = SimulatedJournal.create(level, Geometry.of(4096, 40));
        Geometry geometry = journal.superblock().geometry();
        Map<Long, Long> sequences = new TreeMap<>(Map.of(0L, 0L));
        Positions positions = journal.open(CONFIG);
        List<StateRecord> records = new ArrayList<>();
        journal.medium().observe((medium, operation) -> {
            StateRecord durable = SimulatedJournal.state(medium.afterPowerCut(), journal.superblock());
            records.add(durable);
            assertTrue(durable.lease() <= durable.retained() + geometry.capacityBytes());
            assertTrue(durable.retained() <= durable.floor());
            assertTrue(durable.floor() <= positions.run().published());
            assertEquals(sequences.get(durable.floor()), durable.floorSequence(), () -> "floor of " + durable);
            if (operation.kind() == Kind.STORE && operation.fileOffset() >= Geometry.HEAD_LENGTH_BYTES) {
                long position = MemorySegment.ofAddress(operation.sourceAddress())
                        .reinterpret(64)
                        .get(io.fenceline.journal.format.Bytes.I64, 8);
                assertTrue(position + operation.lengthBytes() <= durable.lease());
            }
        });
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            for (int i = 0; i < 600; i++) {
                int length = i * 97 % 1000;
                long position = appender.append(payload(length));
                long sequence = appender.nextSequence();
                long end = position + (48 + length + 63) / 64 * 64L;
                sequences.put(position, sequence - 1);
                sequences.put(end, sequence);
                sequences.put(geometry.segmentEnd(end), sequence);
            }
        }
        assertTrue(records.getLast().retained() > 0, "never went round");
        assertTrue(records.stream().map(StateRecord::floor).distinct().count() > 5, "floor stood still");
        journal.medium().observe((medium, operation) -> {});
        assertTrue(positions.close());
    }

    /// §3: a candidate becomes the floor when `published` reaches it, not before: `retain` of another thread comes when
    /// a rotation has made the next segment's start a candidate, and nothing is stored there yet.
    @Test
    void shouldNotRecordAFloorThatIsNotPublished() {
        SimulatedJournal journal = tiny(Durability.MEMORY);
        Positions positions = journal.open(CONFIG);
        List<StateRecord> records = new ArrayList<>();
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            for (int i = 0; i < 6; i++) {
                appender.append(payload(1000)); // three a segment
            }
            long published = positions.run().published();
            journal.medium().observe((medium, operation) -> {
                if (records.isEmpty()) {
                    records.add(journal.state()); // once, and not for what `retain` stores
                    assertEquals(4096, positions.retain(published));
                    records.add(journal.state());
                }
            });
            assertEquals(8192, appender.append(payload(1000)));
            journal.medium().observe((medium, operation) -> {});
            assertEquals(4096, records.getLast().retained());
            assertEquals(4096, records.getLast().floor(), "the floor while published was " + published);
            assertEquals(3, records.getLast().floorSequence());
        }
        assertTrue(positions.close());
    }

    /// §5: a PAD's distance counts: when the frame goes to the next segment, the lease covers it there.
    @Test
    void shouldLeaseWhatAPadSkips() {
        SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(1 << 20, 4));
        Positions positions = journal.open(CONFIG);
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            while (appender.position() + 150_000 < 1 << 20) {
                appender.append(payload(100_000));
            }
        }
        assertTrue(positions.close());
        positions = journal.open(CONFIG); // a new writer's leases are short
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            appender.append(payload(10));
            long position = appender.append(payload(200_000));
            assertEquals(1 << 20, position);
            assertTrue(position + 200_064 <= journal.state().lease(), () -> "I11: lease " + journal.state());
        }
        assertTrue(positions.close());
    }

    /// §4: records go to the two pairs of pages in turn, so that what tears one leaves the one before.
    @Test
    void shouldWriteRecordsToThePairsInTurn() {
        SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(4096, 3));
        List<Long> pages = new ArrayList<>();
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.OVERWRITE));
        journal.medium().observe((medium, operation) -> {
            if (operation.kind() == Kind.STORE && operation.fileOffset() < StateRecord.pageFileOffset(0, 1)) {
                pages.add(operation.fileOffset() / StateRecord.PAGE_LENGTH_BYTES);
            }
        });
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            for (int i = 0; i < 400; i++) {
                assertTrue(appender.append(payload(100)) >= 0);
            }
        }
        assertTrue(positions.close());
        assertTrue(pages.size() > 8, () -> "records: " + pages);
        for (int i = 1; i < pages.size(); i++) {
            assertEquals(3, pages.get(i - 1) + pages.get(i), "pages 1 and 2 in turn");
        }
    }

    /// §5: no lease before the first append, so that a crash loop does not eat the ring.
    @Test
    void shouldNotMoveWhenItIsOpenedAndKilledOnly() {
        SimulatedJournal journal = tiny(Durability.MEMORY);
        crashLoop(journal, 100, 0, CONFIG);
        assertEquals(0, journal.state().lease());
        assertEquals(100, journal.state().epoch());
    }

    /// The same with one append each, in the default geometry: the first lease is small.
    @Test
    void shouldNeitherFillTheRingNorLoseAnythingInACrashLoop() {
        SimulatedJournal journal = SimulatedJournal.create(
                Durability.MEMORY,
                Geometry.of(JournalConfig.DEFAULT_SEGMENT_LENGTH_BYTES, JournalConfig.DEFAULT_SEGMENT_COUNT));
        crashLoop(journal, 500, 1, CONFIG.withFullPolicy(FullPolicy.FAIL));
        Positions positions = journal.open(CONFIG);
        List<byte[]> payloads = journal.walk().payloads();
        assertEquals(500, payloads.size());
        for (int i = 0; i < 500; i++) {
            assertArrayEquals(new byte[i], payloads.get(i));
        }
        assertEquals(0, journal.state().retained());
        assertTrue(positions.close());
    }

    private static void crashLoop(SimulatedJournal journal, int crashes, int appends, JournalConfig config) {
        for (int i = 0; i < crashes; i++) {
            Positions positions = journal.open(config);
            try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
                for (int k = 0; k < appends; k++) {
                    assertTrue(appender.append(payload(i)) >= 0);
                }
            }
            SimulatedMedium found = journal.medium().afterProcessCrash();
            positions.poison(new IllegalStateException("killed"));
            assertTrue(positions.close());
            journal.processCrash(found);
        }
    }

    /// §4: record v to line (v / 2) mod 64 of both pages of pair v mod 2, under one drain; before that the one that was
    /// found, one mirror after the other.
    @Test
    void shouldWriteBothMirrorsUnderOneDrain() {
        SimulatedJournal journal = tiny(Durability.DEVICE);
        List<String> order = new ArrayList<>();
        journal.medium().observe((medium, operation) -> order.add(operation.toString()));
        Positions positions = journal.open(CONFIG);
        assertEquals(2, journal.state().version());
        assertEquals(
                List.of(
                        "STORE[" + StateRecord.fileOffset(1, 0) + ", +64)",
                        "DRAIN",
                        "STORE[" + StateRecord.fileOffset(1, 1) + ", +64)",
                        "DRAIN",
                        "STORE[" + StateRecord.fileOffset(2, 0) + ", +64)",
                        "STORE[" + StateRecord.fileOffset(2, 1) + ", +64)",
                        "DRAIN",
                        "SYNC"),
                order);
        assertTrue(positions.close());
        assertEquals(3, journal.state().version());
        assertFalse(StateRecord.fileOffset(2, 0) / 4096 == StateRecord.fileOffset(3, 0) / 4096);
    }

    /// §5: {epoch + 1, not clean} is durable before anything else is stored, after a clean close too.
    @ParameterizedTest
    @EnumSource(Durability.class)
    void shouldMakeANewEpochDurableBeforeAnythingElse(Durability level) {
        SimulatedJournal journal = tiny(level);
        for (int epoch = 1; epoch <= 3; epoch++) {
            Positions positions = journal.open(CONFIG);
            StateRecord durable = SimulatedJournal.state(journal.medium().afterPowerCut(), journal.superblock());
            assertEquals(epoch, durable.epoch());
            assertFalse(durable.isClean());
            assertTrue(positions.close());
            assertTrue(journal.state().isClean());
        }
    }

    /// §5: close syncs the data, then writes the clean record, at every level.
    @ParameterizedTest
    @EnumSource(Durability.class)
    void shouldSyncTheDataBeforeTheCleanRecord(Durability level) {
        SimulatedJournal journal = tiny(level);
        Positions positions = journal.open(CONFIG);
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            appender.append(HELLO);
        }
        List<Kind> order = new ArrayList<>();
        journal.medium().observe((medium, operation) -> {
            if (operation.kind() != Kind.WRITE_BACK) { // that is a part of the store before it
                order.add(operation.kind());
            }
            if (operation.kind() == Kind.STORE) {
                assertEquals(0, medium.undecided(Geometry.HEAD_LENGTH_BYTES, 1 << 12));
            }
        });
        assertTrue(positions.close());
        assertEquals(List.of(Kind.SYNC, Kind.STORE, Kind.STORE, Kind.DRAIN, Kind.SYNC), order);
        StateRecord durable = SimulatedJournal.state(journal.medium().afterPowerCut(), journal.superblock());
        assertTrue(durable.isClean());
        assertEquals(64, durable.lease());
    }

    /// §5, rotation with reuse: the shared word, then the durable record, and only then the store into the
    /// segment.
    @Test
    void shouldStoreIntoASegmentOnlyAfterItIsDurablyGivenUp() {
        SimulatedJournal journal = tiny(Durability.MEMORY);
        Positions positions = journal.open(CONFIG);
        List<Long> reuses = new ArrayList<>();
        journal.medium().observe((medium, operation) -> {
            StateRecord durable = SimulatedJournal.state(medium.afterPowerCut(), journal.superblock());
            if (operation.kind() == Kind.STORE && operation.fileOffset() < Geometry.HEAD_LENGTH_BYTES) {
                long retained = MemorySegment.ofAddress(operation.sourceAddress())
                        .reinterpret(StateRecord.LENGTH_BYTES)
                        .get(io.fenceline.journal.format.Bytes.I64, StateRecord.RETAINED_OFFSET);
                assertTrue(positions.run().retained() >= retained, "the shared word comes before the record");
            }
            if (operation.kind() == Kind.STORE && operation.fileOffset() >= Geometry.HEAD_LENGTH_BYTES) {
                long position = MemorySegment.ofAddress(operation.sourceAddress())
                        .reinterpret(64)
                        .get(io.fenceline.journal.format.Bytes.I64, 8);
                long lost = position - journal.superblock().geometry().capacityBytes();
                assertTrue(lost < durable.retained(), () -> "stored over retained " + lost + " under " + durable);
                if (lost >= 0) {
                    reuses.add(position);
                }
            }
        });
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            for (int i = 0; i < 100; i++) {
                appender.append(payload(500));
            }
        }
        assertTrue(reuses.size() > 50);
        journal.medium().observe((medium, operation) -> {});
        assertTrue(positions.close());
    }

    /// §5, failure: after the first fault no persist begins, nothing is acknowledged, a sync is not retried, and
    /// close leaves no clean record.
    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"STORE", "DRAIN"})
    void shouldAcknowledgeNothingAfterTheFirstFault(Kind kind) {
        SimulatedJournal journal = tiny(Durability.DEVICE);
        Positions positions = journal.open(CONFIG);
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            appender.append(HELLO);
            journal.medium().failAt(kind, 1);
            assertThrows(JournalException.Io.class, () -> appender.append(HELLO));
            long operations = journal.medium().count();
            for (int i = 0; i < 3; i++) {
                assertThrows(JournalException.Poisoned.class, () -> appender.append(HELLO));
            }
            assertTrue(positions.run().isPoisoned());
            assertEquals(64, positions.run().published());
            assertTrue(positions.close());
            assertEquals(operations, journal.medium().count());
            assertEquals(AppendResult.CLOSED, appender.append(HELLO));
        }
        assertFalse(journal.state().isClean());
    }

    /// §5, failure: who waits for room is told of the fault at once, not when his time is up.
    @Test
    void shouldEndWaitingForRoomWhenTheJournalIsPoisoned() throws InterruptedException {
        SimulatedJournal journal = tiny(Durability.DEVICE);
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.BLOCK));
        AtomicReference<Throwable> told = new AtomicReference<>();
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            Thread writer = Thread.ofPlatform().daemon().start(() -> {
                try {
                    while (appender.append(payload(1000)) >= 0) {}
                } catch (Throwable e) {
                    told.set(e);
                }
            });
            long deadlineNs = System.nanoTime() + 10_000_000_000L;
            // In the wait for room, not in the short one for a segment to be mapped in.
            long full = positions.geometry().capacityBytes() - FrameDescriptor.frameLength(1000);
            while ((positions.run().published() <= full || writer.getState() != Thread.State.TIMED_WAITING)
                    && System.nanoTime() < deadlineNs) {
                Thread.onSpinWait();
            }
            journal.medium().failAt(Kind.DRAIN, 1);
            long published = positions.run().published();
            assertThrows(JournalException.Io.class, () -> positions.retain(published));
            writer.join(10_000);
            assertFalse(writer.isAlive(), "still waits");
            assertInstanceOf(JournalException.Poisoned.class, told.get());
            assertTrue(positions.close());
        }
    }

    /// A fault comes before everything else that could be said about an append.
    @ParameterizedTest
    @EnumSource(FullPolicy.class)
    void shouldTellTheFaultWhenTheRingIsFullToo(FullPolicy policy) {
        SimulatedJournal journal = tiny(Durability.DEVICE);
        Positions positions = journal.open(CONFIG.withFullPolicy(policy).withBlockTimeoutNs(1_000_000));
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            for (int i = 0; i < 12; i++) {
                appender.append(payload(1000));
            }
            positions.poison(new IllegalStateException("a fault"));
            assertThrows(JournalException.Poisoned.class, () -> appender.append(payload(1000)));
            assertTrue(positions.close());
        }
    }

    /// §5: each byte of the user's memory is read once. A buffer that shows other bytes at every reading.
    @Test
    void shouldReadABufferOnce() {
        SimulatedJournal journal = tiny(Durability.MEMORY);
        Positions positions = journal.open(CONFIG);
        UnsafeBuffer fickle = new UnsafeBuffer(new byte[300]) {
            @Override
            public void getBytes(int index, ByteBuffer target, int targetIndex, int length) {
                super.getBytes(index, target, targetIndex, length);
                for (int i = 0; i < capacity(); i++) {
                    putByte(i, (byte) (getByte(i) + 1));
                }
            }
        };
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            for (int i = 0; i < 5; i++) {
                assertTrue(appender.append(fickle, 0, 300) >= 0);
            }
        }
        List<byte[]> payloads = journal.walk().payloads();
        assertEquals(5, payloads.size());
        for (int i = 0; i < 5; i++) {
            for (byte b : payloads.get(i)) {
                assertEquals(i, b);
            }
        }
        assertTrue(positions.close());
    }

    /// The same while another thread scribbles over the payload: what is stored certifies, whatever it holds.
    @Test
    void shouldStoreWholeFramesWhileThePayloadChanges() throws InterruptedException {
        SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(1 << 20, 2));
        Positions positions = journal.open(CONFIG);
        AtomicBoolean stop = new AtomicBoolean();
        MemorySegment shared = Arena.ofAuto().allocate(200_000);
        Thread scribbler = Thread.ofPlatform().start(() -> {
            for (byte b = 0; !stop.get(); b++) {
                shared.fill(b);
            }
        });
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            for (int i = 0; i < 40; i++) {
                assertTrue(appender.append(shared.asSlice(0, i % 2 == 0 ? 200_000 : 3000)) >= 0);
            }
        } finally {
            stop.set(true);
            scribbler.join();
        }
        assertTrue(positions.close());
        LogWalk walk = journal.walk();
        assertTrue(walk.invalidSlots().isEmpty());
        assertTrue(walk.data().size() >= 5);
        assertEquals(40, walk.data().getLast().sequence() + 1);
    }

    /// A payload that faults while it is streamed in, behind the PAD of a rotation: the journal goes on, its
    /// records stay true, and it opens again, whether it is closed at once or after more entries.
    @ParameterizedTest
    @org.junit.jupiter.params.provider.ValueSource(ints = {0, 1, 30})
    void shouldGoOnAfterAPayloadThatCannotBeRead(int more) {
        SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(1 << 20, 3));
        Positions positions = journal.open(CONFIG);
        MemorySegment gone;
        try (Arena arena = Arena.ofConfined()) {
            gone = arena.allocate(250_000);
        }
        int before = 0;
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            while (appender.position() + 250_048 <= 1 << 20) {
                appender.append(payload(100_000));
                before++;
            }
            assertThrows(IllegalStateException.class, () -> appender.append(gone));
            for (int i = 0; i < more; i++) {
                assertTrue(appender.append(payload(10_000)) >= 0);
            }
        }
        assertTrue(positions.close());
        assertTrue(journal.state().isClean());
        assertEquals(before + more, journal.state().floorSequence());
        Positions again = journal.open(CONFIG);
        assertTrue(journal.walk().invalidSlots().isEmpty());
        assertEquals(before + more, journal.walk().data().size());
        assertTrue(again.close());
    }
}
