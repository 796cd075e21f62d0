package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.RecoveryReport.Verdict;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.positions.SimulatedJournal;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The ⚠ rules of DESIGN §4 and §6 that recovery keeps, each on a log that was built by hand: ring of three
/// segments of 4 KiB, a record of epoch 5 with floor 64 and lease 4096, frames of one slot from there on.
class RecoveryRulesTest {
    private static final Geometry GEOMETRY = Geometry.of(4096, 3);
    private static final int EPOCH = 5;
    private static final int THIS_BOOT = io.fenceline.journal.positions.RunFile.bootHash32();
    private static final long LEASE = 4096;

    private SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, GEOMETRY);
    private FrameWriter writer = new FrameWriter(journal.medium(), journal.superblock());

    private void build(Durability level) {
        journal = SimulatedJournal.create(level, GEOMETRY);
        writer = new FrameWriter(journal.medium(), journal.superblock());
        writer.state(record(10, 64, LEASE, 0, level));
        writer.data(0, 0, EPOCH - 1, 0, "below");
        writer.data(64, 1, EPOCH, 0, "first");
    }

    private static StateRecord record(long version, long floor, long lease, long retained, Durability level) {
        return new StateRecord(version, lease, floor, floor / 64, retained, 64, EPOCH, 0, level.id(), THIS_BOOT);
    }

    private SimulatedJournal.Opening opening() {
        return new SimulatedJournal.Opening(journal.medium(), journal.superblock());
    }

    private RecoveryReport recover() {
        return opening().recover();
    }

    private List<String> payloads() {
        return journal.walk().payloads().stream().map(String::new).toList();
    }

    /// §4 (3): epochs never decrease along positions, none is above the record's, and at or beyond epochStart it
    /// equals it.
    @Test
    void shouldTakeAFrameOfAnotherEpochForAHole() {
        build(Durability.MEMORY);
        writer.data(128, 2, EPOCH - 1, 0, "older");
        writer.data(192, 2, EPOCH + 1, 0, "newer");
        writer.data(256, 2, EPOCH, 0, "right");
        RecoveryReport report = recover();
        assertEquals(2, report.keptFrames());
        assertEquals(1, report.holes());
        assertEquals(List.of("below", "first", "right"), payloads());
        assertTrue(writer.isSealed(128));
    }

    /// §4 (3): PADs that seal carry the epoch being sealed; the next one would outrank what lies behind them, if
    /// the recovery is cut before its record.
    @Test
    void shouldSealWithTheEpochThatIsSealed() {
        build(Durability.MEMORY);
        writer.data(192, 2, EPOCH, 0, "behind a hole");
        SimulatedJournal.Opening opening = opening();
        opening.scan();
        opening.repair();
        journal.walk().frames().stream().filter(LogWalk.Frame::isSeal).forEach(f -> assertEquals(EPOCH, f.epoch()));
        assertEquals(2, opening().scan().keptFrames());
        recover();
        assertEquals(List.of("below", "first", "behind a hole"), payloads());
    }

    /// §4: a DEPENDENT frame after a hole is dropped, with all that follows up to the next frame without the
    /// flag; §6: every slot of such a range gets a PAD, so that none of it certifies later.
    @Test
    void shouldDropDependentFramesAfterAHoleAndPadEverySlot() {
        build(Durability.MEMORY);
        writer.data(192, 3, EPOCH, FrameDescriptor.FLAG_DEPENDENT, "entry 3");
        writer.data(256, 4, EPOCH, FrameDescriptor.FLAG_DEPENDENT, "entry 4");
        writer.data(320, 5, EPOCH, 0, "another");
        RecoveryReport report = recover();
        assertEquals(2, report.droppedFrames());
        assertEquals(List.of("below", "first", "another"), payloads());
        for (long position = 128; position < 320; position += 64) {
            assertTrue(writer.isSealed(position), "no PAD at " + position);
        }
    }

    /// A PAD that is kept says which entry comes next: where the one before it was lost, sequences go on there, or the
    /// stream would go back behind the PAD.
    @Test
    void shouldGoOnWithTheSequenceOfAPadWhenTheEntryBeforeItWasLost() {
        build(Durability.MEMORY);
        writer.pad(192, 64, 3, EPOCH, 0); // entry 2 was to be at 128
        RecoveryReport report = recover();
        assertEquals(1, report.lastSequence());
        assertEquals(3, report.nextSequence());
        assertEquals(3, journal.state().floorSequence());
        assertTrue(writer.isSealed(128));
    }

    /// The same where nothing but that PAD is kept: the last entry is the one below the floor, and is found.
    @Test
    void shouldFindTheLastEntryWhenOnlyAPadIsKeptBehindALostOne() {
        journal = SimulatedJournal.create(Durability.MEMORY, GEOMETRY);
        writer = new FrameWriter(journal.medium(), journal.superblock());
        writer.state(record(10, 64, LEASE, 0, Durability.MEMORY));
        writer.data(0, 0, EPOCH - 1, 0, "below");
        writer.pad(128, 64, 2, EPOCH, 0); // entry 1 was to be at 64
        RecoveryReport report = recover();
        assertEquals(0, report.lastSequence());
        assertEquals(0, report.lastPosition());
        assertEquals(2, report.nextSequence());
    }

    @Test
    void shouldKeepDependentFramesThatFollowWhatIsKept() {
        build(Durability.MEMORY);
        writer.data(128, 2, EPOCH, FrameDescriptor.FLAG_DEPENDENT, "second");
        assertEquals(0, recover().droppedFrames());
        assertEquals(List.of("below", "first", "second"), payloads());
    }

    /// §6 step 3 and 4: the record first, mirror by mirror; then the kept bytes; no PAD before those are durable;
    /// no new record before the PADs are.
    @ParameterizedTest
    @EnumSource(
            value = Durability.class,
            names = {"MEMORY", "DEVICE"})
    void shouldPersistRecordThenKeptBytesThenPadsThenTheNextRecord(Durability level) {
        build(level);
        List<String> order = new ArrayList<>();
        journal.medium().observe((medium, operation) -> {
            if (operation.kind() == Kind.WRITE_BACK) {
                return; // a part of the store before it
            }
            boolean head = operation.fileOffset() < Geometry.HEAD_LENGTH_BYTES;
            order.add(
                    operation.kind() == Kind.STORE
                            ? head ? "RECORD" : "PAD"
                            : operation.kind().name());
        });
        recover();
        assertEquals(
                List.of(
                        "RECORD", "DRAIN", "RECORD", "DRAIN", "REWRITE", "DRAIN", "PAD", "DRAIN", "RECORD", "RECORD",
                        "DRAIN", "SYNC"),
                order);
    }

    /// §4: a torn write leaves the other pair. A writer died between the stores of its clean record and their sync; the
    /// next one of this boot opens at once, and the power is cut: at no moment are both pairs in flight, so that a
    /// record is found even if every sector in flight is junk.
    @Test
    void shouldPersistACleanRecordOfThisBootBeforeTheNextOne() {
        build(Durability.DEVICE);
        SimulatedMedium medium = journal.medium();
        ByteBuffer clean = ByteBuffer.allocateDirect(StateRecord.LENGTH_BYTES);
        new StateRecord(11, 128, 128, 2, 0, 64, EPOCH, StateRecord.FLAG_CLEAN, Durability.DEVICE.id(), THIS_BOOT)
                .encode(clean, journal.superblock().salt());
        for (int mirror = 0; mirror < StateRecord.MIRRORS; mirror++) {
            medium.store(
                    StateRecord.fileOffset(11, mirror),
                    MemorySegment.ofBuffer(clean.clear()).address(),
                    StateRecord.LENGTH_BYTES);
        }
        medium = medium.afterProcessCrash();
        journal.processCrash(medium);
        medium.garbageSectors(true);
        AtomicInteger images = new AtomicInteger();
        medium.observe((m, operation) -> m.afterPowerCuts(64, 8, new SplittableRandom(1), image -> {
            images.incrementAndGet();
            assertEquals(
                    2,
                    new SimulatedJournal.Opening(image, journal.superblock())
                            .scan()
                            .nextSequence());
        }));
        assertEquals(Verdict.CLEAN, recover().verdict());
        assertTrue(images.get() > 50, () -> images + " images");
    }

    /// §6: what came from the medium after a change of boot is durable already.
    @Test
    void shouldNotPersistAgainWhatAnotherBootWrote() {
        build(Durability.MEMORY);
        journal.powerCut(journal.medium().afterPowerCut());
        recover();
        assertEquals(0, journal.medium().count(Kind.REWRITE));
    }

    /// §6: PADs over what still certifies are durable, for real, before the next record: a `PROCESS` journal
    /// after a power cut drops whole frames, and its drain makes nothing durable.
    @Test
    void shouldMakePadsDurableForRealWhenThePowerWasLost() {
        build(Durability.PROCESS);
        writer.data(192, 3, EPOCH, 0, "after a hole");
        journal.powerCut(journal.medium().afterPowerCut());
        SimulatedJournal.Opening opening = opening();
        RecoveryReport report = opening.scan();
        assertEquals(Verdict.POWER_LOST, report.verdict());
        assertEquals(1, report.droppedFrames());
        opening.repair();
        assertEquals(0, journal.medium().undecided(Geometry.HEAD_LENGTH_BYTES, GEOMETRY.capacityBytes()));
        opening.nextEpoch();
        assertEquals(List.of("below", "first"), payloads());
    }

    /// The boot decides: the same image after a mere process crash is whole.
    @Test
    void shouldNotCallAProcessCrashAPowerLoss() {
        build(Durability.PROCESS);
        writer.data(192, 3, EPOCH, 0, "after a hole");
        RecoveryReport report = recover();
        assertEquals(Verdict.RECOVERED, report.verdict());
        assertEquals(List.of("below", "first", "after a hole"), payloads());
    }

    /// §6 step 2: a valid frame of the record's epoch just beyond its lease: the newest record was lost.
    @Test
    void shouldRefuseWhenBothMirrorsOfTheNewestRecordAreLost() {
        build(Durability.MEMORY);
        writer.state(record(11, 64, 8192, 0, Durability.MEMORY));
        writer.pad(128, 4096 - 128, 2, EPOCH, 0);
        writer.data(4096, 2, EPOCH, 0, "acknowledged under record 11");
        assertEquals(2, journal.walk().data().size() - 1);
        writer.wipeState(11);
        JournalException.Corrupt e =
                assertThrows(JournalException.Corrupt.class, () -> opening().scan());
        assertTrue(String.valueOf(e.getMessage()).contains("beyond the lease"), e.getMessage());
        assertEquals(0, journal.medium().count());
    }

    /// The same where the lost record gave a segment up and its place was written again: by the older record that
    /// place is still retained.
    @Test
    void shouldRefuseALostRecordThatHadGivenASegmentUp() {
        build(Durability.MEMORY);
        long end = GEOMETRY.capacityBytes();
        writer.state(record(11, 64, end, 0, Durability.MEMORY));
        writer.pad(128, 4096 - 128, 2, EPOCH, 0);
        writer.pad(4096, 4096, 2, EPOCH, 0);
        writer.pad(8192, 4096, 2, EPOCH, 0);
        writer.state(record(12, 8192, end + 4096, 4096, Durability.MEMORY));
        writer.data(end, 128, EPOCH, 0, "acknowledged in the second lap");
        writer.wipeState(12);
        assertThrows(JournalException.Corrupt.class, () -> opening().scan());
        assertEquals(0, journal.medium().count());
    }

    @Test
    void shouldRefuseAFrameThatStraddlesTheLease() {
        build(Durability.MEMORY);
        writer.state(record(11, 64, 256, 0, Durability.MEMORY));
        writer.pad(128, 4096 - 128, 2, EPOCH, 0);
        assertThrows(JournalException.Corrupt.class, () -> opening().scan());
        assertEquals(0, journal.medium().count());
    }

    /// §6: an unreadable block between floor and lease is a refusal, and nothing is written.
    @Test
    void shouldRefuseAnUnreadableBlock() {
        build(Durability.MEMORY);
        journal.medium().unreadable(GEOMETRY.fileOffset(512), 512);
        JournalException.Corrupt e =
                assertThrows(JournalException.Corrupt.class, () -> opening().scan());
        assertTrue(String.valueOf(e.getMessage()).contains("cannot read"), e.getMessage());
        assertEquals(0, journal.medium().count());
    }

    /// A dry run is a scan: it writes nothing, and says what the recovery then does.
    @Test
    void shouldWriteNothingWhileItScans() {
        build(Durability.MEMORY);
        writer.data(192, 2, EPOCH, 0, "behind a hole");
        RecoveryReport dry = opening().scan();
        assertEquals(0, journal.medium().count());
        RecoveryReport wet = recover();
        assertEquals(dry.nextSequence(), wet.nextSequence());
        assertEquals(dry.sealedBytes(), wet.sealedBytes());
        assertFalse(journal.walk().data().isEmpty());
    }

    /// §6: a position is never written twice in a lap: recovery burns the lease, and the next writer begins
    /// behind it.
    @Test
    void shouldSealUpToTheLease() {
        build(Durability.MEMORY);
        RecoveryReport report = recover();
        assertEquals(LEASE, report.nextPosition());
        assertEquals(LEASE - 128, report.sealedBytes());
        StateRecord state = journal.state();
        assertEquals(LEASE, state.floor());
        assertEquals(LEASE, state.epochStart());
        assertEquals(EPOCH + 1, state.epoch());
        assertTrue(journal.walk().invalidSlots().isEmpty());
    }

    /// §4, state record: a crash may leave an attempt at record 11 torn in mirror 0, lacking one word only. If
    /// the next writer stored another record 11 there, a second crash could persist just the word that was
    /// missing, beside a whole new record in mirror 1: two valid lines of one version with different contents.
    @Test
    void shouldNotUseTheVersionOfATornRecordAgain() {
        build(Durability.MEMORY);
        StateRecord torn = record(11, 64, 8192, 0, Durability.MEMORY);
        writer.state(torn, 0);
        writer.wipe(StateRecord.fileOffset(11, 0) + StateRecord.VERSION_OFFSET, 8);
        SimulatedMedium before = journal.medium();
        before.observe((medium, operation) -> medium.afterPowerCuts(1 << 16, 0, new java.util.Random(1), image -> {
            StateRecord found = SimulatedJournal.state(image, journal.superblock());
            assertTrue(found.lease() == LEASE, () -> "came back: " + found);
        }));
        SimulatedJournal.Opening opening = opening();
        opening.scan();
        opening.nextEpoch();
        assertTrue(journal.state().version() > 11);
    }

    /// §6: a cut that was under way is completed: a PAD on every slot, each as far as the cut reaches in its
    /// segment, so that whoever walks there from any slot is through at once; durable for real before the next
    /// record.
    @ParameterizedTest
    @EnumSource(Durability.class)
    void shouldPadEverySlotOfACutThatWasUnderWay(Durability level) {
        Geometry wide = Geometry.of(32768, 3);
        journal = SimulatedJournal.create(level, wide);
        writer = new FrameWriter(journal.medium(), journal.superblock());
        long from = 128;
        long to = 32768 + 8192;
        writer.state(new StateRecord(10, to, from, 2, 0, 0, EPOCH, StateRecord.FLAG_TRUNCATING, level.id(), THIS_BOOT));
        writer.data(0, 0, EPOCH, 0, "below");
        writer.data(64, 1, EPOCH, 0, "first");
        writer.data(128, 2, EPOCH, 0, "cut");
        writer.data(20480, 7, EPOCH, 0, "cut, too");
        SimulatedJournal.Opening opening = opening();
        assertEquals(0, opening.scan().keptFrames());
        opening.repair();
        FrameReader reader = new FrameReader(journal.medium()::read, journal.superblock());
        for (long position = from; position < to; position += FrameDescriptor.SLOT_LENGTH_BYTES) {
            assertEquals(
                    io.fenceline.journal.format.FrameVerdict.SEAL,
                    reader.certify(position, EPOCH, EPOCH),
                    "at " + position);
            assertEquals(Math.min(to, wide.segmentEnd(position)), reader.nextPosition());
            assertEquals(2, reader.sequence());
        }
        assertEquals(0, journal.medium().undecided(Geometry.HEAD_LENGTH_BYTES, wide.capacityBytes()));
        opening.nextEpoch();
        assertEquals(List.of("below", "first"), payloads());
    }

    /// §6 step 3: exactly what is kept is made durable again, segment by segment: no byte more, none twice.
    @Test
    void shouldPersistAgainExactlyWhatIsKept() {
        build(Durability.MEMORY);
        writer.state(record(11, 64, 3 * LEASE, 0, Durability.MEMORY));
        writer.pad(128, 4096 - 128, 2, EPOCH, 0);
        writer.pad(4096, 4096, 2, EPOCH, 0);
        writer.data(8192, 2, EPOCH, 0, "last");
        List<String> rewritten = new ArrayList<>();
        journal.medium().observe((medium, operation) -> {
            if (operation.kind() == Kind.REWRITE) {
                rewritten.add(operation.fileOffset() - GEOMETRY.fileOffset(0) + " +" + operation.lengthBytes());
            }
        });
        recover();
        assertEquals(List.of("64 +4032", "4096 +4096", "8192 +64"), rewritten);
    }
}
