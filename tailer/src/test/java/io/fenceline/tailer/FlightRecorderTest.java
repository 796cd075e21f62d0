package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlightRecorderTest {
    private static final MemorySegment ENTRY = MemorySegment.ofArray(new byte[1024 - 48]);

    @TempDir
    private Path temporary;

    private static List<RecordedEvent> of(List<RecordedEvent> events, String name, String journal) {
        return events.stream()
                .filter(event -> event.getEventType().getName().equals("io.fenceline." + name))
                .filter(event -> event.getString("journal").equals(journal))
                .toList();
    }

    private static List<Long> longs(List<RecordedEvent> events, String field) {
        return events.stream()
                .sorted(Comparator.comparing(RecordedEvent::getStartTime))
                .map(event -> event.getLong(field))
                .toList();
    }

    /// Goal: each kind of event is there, as often as what it tells of happened, and tells the truth.
    @Test
    void shouldTellTheFlightRecorder() throws IOException {
        Path directory = temporary.resolve("journal");
        Path file = temporary.resolve("recording.jfr");
        Journals.open(directory, 4096, 4).close();
        String id;
        RecoveryReport report;
        try (Recording recording = new Recording()) {
            recording.enable("io.fenceline.Stall").withoutThreshold();
            recording.enable("io.fenceline.LeaseExtension").withoutThreshold();
            recording.start();
            try (Journal journal = Journal.open(
                            directory,
                            Journals.CONFIG.withFullPolicy(FullPolicy.BLOCK).withBlockTimeoutNs(20_000_000));
                    ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                id = journal.journalId().toString();
                report = journal.recovery();
                for (int i = 0; i < 16; i++) {
                    appender.append(ENTRY);
                }
                assertEquals(AppendResult.FULL, appender.append(ENTRY));
                journal.positions().poison(new IOException("as if"));
            }
            recording.stop();
            recording.dump(file);
        }
        List<RecordedEvent> events = RecordingFile.readAllEvents(file);
        RecordedEvent recovery = of(events, "Recovery", id).getFirst();
        assertEquals("CLEAN", recovery.getString("verdict"));
        assertEquals(0, recovery.getLong("keptEntries"));
        assertTrue(recovery.getLong("scannedBytes") > 0);
        assertEquals(report.scannedBytes(), recovery.getLong("scannedBytes"));
        assertEquals(report.sealedBytes(), recovery.getLong("sealedBytes"));
        assertEquals(report.droppedFrames(), recovery.getLong("droppedFrames"));
        assertEquals(report.durationNs(), recovery.getDuration("durationNs").toNanos());
        assertEquals(List.of(0L, 4096L, 8192L, 12288L), longs(of(events, "Rotation", id), "segmentStart"));
        List<Long> leases = longs(of(events, "LeaseExtension", id), "lease");
        assertEquals(leases.stream().sorted().distinct().toList(), leases);
        assertEquals(16384, leases.getLast(), "all that the ring holds");
        assertTrue(of(events, "LeaseExtension", id).stream().allMatch(event -> event.getBoolean("durable")));
        List<RecordedEvent> stalls = of(events, "Stall", id);
        assertEquals(1, stalls.size());
        assertTrue(stalls.getFirst().getDuration().toMillis() >= 20, stalls::toString);
        assertEquals(16384 + 1024, stalls.getFirst().getLong("end"));
        assertEquals(0, stalls.getFirst().getLong("retained"));
        List<RecordedEvent> poisons = of(events, "Poison", id);
        assertEquals(1, poisons.size());
        assertTrue(poisons.getFirst().getString("cause").contains("as if"));
    }

    /// Goal: of a state record that could not be made durable, nobody is told that it was.
    @Test
    void shouldTellThatALeaseWasNotMadeDurable() throws IOException {
        Path file = temporary.resolve("recording.jfr");
        SimulatedJournal journal = SimulatedJournal.create(Durability.DEVICE, Geometry.of(1 << 20, 4));
        String id;
        try (Recording recording = new Recording()) {
            recording.enable("io.fenceline.LeaseExtension").withoutThreshold();
            recording.start();
            Positions positions = journal.open(JournalConfig.defaults());
            id = positions.superblock().journalId().toString();
            assertEquals(0, positions.admit(1024));
            journal.medium().failAt(SimulatedMedium.Kind.DRAIN, 1);
            long more = positions.freeEnd() + 1024;
            assertThrows(JournalException.class, () -> positions.admit(more));
            recording.stop();
            recording.dump(file);
        }
        List<RecordedEvent> leases = of(RecordingFile.readAllEvents(file), "LeaseExtension", id).stream()
                .sorted(Comparator.comparing(RecordedEvent::getStartTime))
                .toList();
        assertTrue(leases.getFirst().getBoolean("durable"));
        assertFalse(leases.getLast().getBoolean("durable"));
    }
}
