package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.persist.FailedImage;
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.FrameWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DumpTest {
    @TempDir
    Path parent;

    @Test
    void shouldPrintOneObjectPerFrameWhenFormatIsJson() {
        InspectionFixture journal = new InspectionFixture(parent).fill();
        List<String> lines =
                journal.run("dump", List.of("--format", "json")).out().lines().toList();
        assertTrue(
                lines.getFirst()
                        .matches("\\{\"position\":0,\"fileOffset\":2097152,\"length\":64,\"sequence\":0,"
                                + "\"timestamp\":1700000000123456789,\"epoch\":1,\"kind\":\"DATA\","
                                + "\"verdict\":\"valid\",\"entries\":\\[\\{\"type\":5,\"payload\":\"entry 0.0 \"}]}"),
                lines.getFirst());
        List<String> data = lines.stream()
                .filter(line -> line.contains("\"kind\":\"DATA\""))
                .toList();
        assertEquals(journal.positions.size(), data.size());
        for (int i = 0; i < data.size(); i++) {
            assertTrue(data.get(i).startsWith("{\"position\":" + journal.positions.get(i) + ","), data.get(i));
            assertTrue(data.get(i).contains("\"payload\":\"" + journal.payloads.get(i) + "\""), data.get(i));
        }
        assertTrue(lines.stream().anyMatch(line -> line.contains("\"kind\":\"PAD\"")), "no PAD");
    }

    /// Goal: what a crash checker leaves below `target/failures` is a journal to this command.
    @Test
    void shouldDumpTheImageThatACrashCheckerLeaves() {
        SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(4096, 2));
        SimulatedMedium medium = journal.medium();
        FrameWriter frames = new FrameWriter(medium, journal.superblock());
        frames.data(0, 0, 1, 0, "kept");
        frames.data(64, 1, 1, 0, "too");
        frames.state(new StateRecord(2, 4096, 0, 0, 0, 0, 1, 0, Durability.MEMORY.id(), 0));
        medium.drain();
        AssertionError found = assertThrows(
                AssertionError.class,
                () -> FailedImage.check(medium.afterPowerCut(), () -> assertEquals(1, 2, "I1: found out")));
        Path left = parent.resolve("failures").resolve("Checker");
        String look =
                FailedImage.leave(found, new SimulatedMedium(Durability.MEMORY, 64), left.resolve(JournalFiles.LOG));
        assertEquals("look: fenceline dump " + left, look);
        String out = CommandRun.of("dump", "--format", "json", left.toString()).out();
        assertTrue(out.contains("\"payload\":\"kept\"") && out.contains("\"payload\":\"too\""), out);
    }

    @Test
    void shouldEscapeWhatIsHarmfulWhenPayloadIsForeign() {
        InspectionFixture journal = new InspectionFixture(parent);
        byte[] binary = {(byte) 0xFF, 0, 27, 'x'};
        try (Journal open = Journal.open(journal.directory, InspectionFixture.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(open)) {
            journal.append(appender, "\u001b[2J\"\\\n\u0007é\u202e");
            appender.append(MemorySegment.ofArray(binary));
        }
        String json = journal.run("dump", List.of("--format", "json")).out();
        assertTrue(json.contains("\"payload\":\"\\u001b[2J\\\"\\\\\\u000a\\u0007\\u00e9\\u202e\""), json);
        assertTrue(json.contains("\"payloadBase64\":\"" + Base64.getEncoder().encodeToString(binary) + "\""), json);
        for (String format : List.of("text", "json", "hex")) {
            String out = journal.run("dump", List.of("--format", format)).out();
            assertFalse(out.chars().anyMatch(c -> c != '\n' && (c < 32 || c == 127 || c == 0x202e)), out);
        }
        String hex = journal.run("dump", List.of("--format", "hex")).out();
        assertTrue(hex.contains("|"), hex);
        assertTrue(hex.contains("00200030  1b 5b 32 4a 22 5c 0a 07  c3 a9 e2 80 ae 00 00 00  |.[2J"), hex);
    }

    @Test
    void shouldPrintPayloadsOnlyWhenFormatIsRaw() {
        InspectionFixture journal = new InspectionFixture(parent);
        String longText = "0123456789abcdé".repeat(40_000 / 15);
        Path large = parent.resolve("large");
        try (Journal open = Journal.create(
                        large,
                        InspectionFixture.CONFIG.withSegmentLengthBytes(2 << 20).withSegmentCount(2));
                ExclusiveAppender appender = ExclusiveAppender.open(open)) {
            appender.append(InspectionFixture.bytes(longText));
            appender.append(InspectionFixture.bytes("end"));
        }
        assertEquals("", journal.run("dump", List.of("--format", "raw")).out());
        assertEquals(
                longText + "end",
                InspectionFixture.run("dump", large.toString(), "--format", "raw")
                        .out());
        // Longer than a piece, with characters across its borders.
        String json = InspectionFixture.run("dump", large.toString(), "--format", "json", "--limit", "1")
                .out();
        assertEquals(1, json.lines().count());
        assertTrue(json.contains("\"payload\":\"" + longText.replace("é", "\\u00e9") + "\""));
        assertTrue(longText.getBytes(StandardCharsets.UTF_8).length > 3 << 13);
    }

    @Test
    void shouldBeginWhereAskedWhenStartIsGiven() {
        InspectionFixture journal = new InspectionFixture(parent).fill();
        for (int i = 0; i < journal.positions.size(); i++) {
            long position = journal.positions.get(i);
            // The batch at index 12 holds two entries; each opening has 15.
            int sequence = i / 14 * 15 + i % 14 + (i % 14 == 13 ? 1 : 0);
            assertEquals(position, first(journal, Long.toString(position)));
            assertEquals(position, first(journal, "seq:" + sequence));
            // No frame begins inside a slot.
            assertTrue(first(journal, Long.toString(position + 1)) > position || i == journal.positions.size() - 1);
        }
        assertEquals(journal.positions.get(12), first(journal, "seq:13"));
        assertEquals(journal.positions.getLast(), first(journal, "newest"));
        assertEquals(-1, first(journal, "seq:30"));
        assertEquals(
                ExitCodes.USAGE,
                journal.run("dump", List.of("--from", "99999999")).code());
        assertEquals(
                ExitCodes.USAGE, journal.run("dump", List.of("--from", "x")).code());
    }

    private static long first(InspectionFixture journal, String from) {
        String out = journal.run("dump", List.of("--format", "json", "--limit", "1", "--from", from))
                .out();
        return out.isEmpty() ? -1 : Long.parseLong(out.replaceFirst("(?s)^\\{\"position\":(\\d+),.*", "$1"));
    }

    @Test
    void shouldShowDamagedRangeAsLineOfItsOwn() throws IOException {
        InspectionFixture journal = new InspectionFixture(parent).fill();
        byte[] log = journal.readLog();
        long position = journal.positions.get(3);
        log[journal.fileOffset(position) + 50] ^= 1;
        log[0] ^= 1;
        journal.writeLog(log);
        InspectionFixture.Run run = journal.run("dump", List.of("--format", "json"));
        assertEquals(ExitCodes.CORRUPT, run.code());
        assertTrue(run.err().contains("superblock copy 0"), run.err());
        String line = run.out()
                .lines()
                .filter(l -> l.contains("\"DAMAGED\""))
                .reduce((a, b) -> a + b)
                .orElseThrow();
        assertTrue(line.startsWith("{\"position\":" + position + ","), line);
        assertTrue(line.contains("\"verdict\":\"(4) checksum does not match"), line);
        assertTrue(line.endsWith("\"entries\":[]}"), line);
        assertTrue(journal.run("dump", List.of()).out().contains("DAMAGED"));
    }

    // What a writer that did not close has left behind the floor is shown, and is no damage.
    @Test
    void shouldShowUnrecoveredFramesWhenWriterCrashed() throws IOException {
        InspectionFixture journal = new InspectionFixture(parent);
        byte[] crashed;
        try (Journal open = Journal.open(journal.directory, InspectionFixture.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(open)) {
            journal.append(appender, "left behind");
            crashed = journal.readLog();
        }
        journal.writeLog(crashed);
        InspectionFixture.Run run = journal.run("dump", List.of());
        assertEquals(ExitCodes.OK, run.code(), run.out());
        assertTrue(run.out().contains("valid, unrecovered"), run.out());
        assertTrue(run.out().contains("left behind"), run.out());
        InspectionFixture.Run verify = journal.run("verify", List.of());
        assertEquals(ExitCodes.OK, verify.code(), verify.out());
        assertTrue(verify.out().contains("unrecovered"), verify.out());
    }
}
