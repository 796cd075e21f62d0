package io.fenceline.journal.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.positions.RunFile;
import io.fenceline.journal.recovery.FrameReader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Holds `docs/FORMAT.md` and the drawings in the sources against the code: every offset, every field, every byte
/// of the worked examples.
class FormatDocTest {
    private static final Path ROOT = Path.of(System.getProperty("fenceline.root", ".."));
    private static final List<Class<?>> DRAWN = List.of(
            Superblock.class,
            StateRecord.class,
            FrameDescriptor.class,
            RunFileDescriptor.class,
            ReadersFileDescriptor.class,
            GateDescriptor.class,
            CursorRecord.class,
            CalibrationRecord.class);

    /// Words that are not packed.
    private static final Set<Class<?>> SPARSE =
            Set.of(RunFileDescriptor.class, ReadersFileDescriptor.class, GateDescriptor.class);

    /// One line of a drawing.
    private record Row(int at, String field, String type) {
        int lengthBytes() {
            return switch (type) {
                case "u8" -> 1;
                case "u16" -> 2;
                case "i32" -> 4;
                case "i64" -> 8;
                case "" -> 0;
                default -> Integer.parseInt(type.substring(0, type.indexOf(' ')));
            };
        }

        /// `floorSequence` is `FLOOR_SEQUENCE_OFFSET`; what has no type lies behind the header.
        String constant() {
            return type.isEmpty()
                    ? "HEADER_LENGTH_BYTES"
                    : field.replaceAll("([A-Z])", "_$1").toUpperCase(Locale.ROOT) + "_OFFSET";
        }
    }

    static Stream<Class<?>> drawn() {
        return DRAWN.stream();
    }

    @ParameterizedTest
    @MethodSource("drawn")
    void shouldDrawWhatTheConstantsSay(Class<?> descriptor) throws Exception {
        List<Row> document = documentDrawing(descriptor);
        assertEquals(document, sourceDrawing(descriptor), "FORMAT.md and the /// of " + descriptor.getSimpleName());

        Set<String> constants = new TreeSet<>();
        for (Field field : descriptor.getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers()) && field.getName().endsWith("_OFFSET")) {
                constants.add(field.getName());
            }
        }
        int end = 0;
        for (Row row : document) {
            assertTrue(row.at >= end, row + " begins before the field in front of it ends, at " + end);
            if (!SPARSE.contains(descriptor)) {
                assertEquals(end, row.at, "a gap before " + row);
            }
            end = row.at + row.lengthBytes();
            if (!row.field.equals("reserved")) {
                assertEquals(descriptor.getDeclaredField(row.constant()).getInt(null), row.at, descriptor + ": " + row);
                constants.remove(row.constant());
            }
        }
        assertEquals(Set.of(), constants, "offsets that are in no drawing of " + descriptor.getSimpleName());
        if (descriptor != FrameDescriptor.class) {
            int length = descriptor.getDeclaredField("LENGTH_BYTES").getInt(null);
            assertTrue(
                    SPARSE.contains(descriptor) ? end <= length : end == length,
                    descriptor + " is " + length + " bytes long, its drawing ends at " + end);
        }
    }

    @Test
    void shouldDrawTheHeadAsItIs() throws IOException {
        Map<Long, Long> rows = new LinkedHashMap<>();
        for (String line : section("| file offset | bytes | what |")) {
            List<String> cells = cells(line);
            rows.put(
                    Long.valueOf(cells.get(0)),
                    cells.get(1).chars().allMatch(Character::isDigit) ? Long.parseLong(cells.get(1)) : -1L);
        }
        Map<Long, Long> expected = new LinkedHashMap<>();
        for (int copy = 0; copy < 2; copy++) {
            expected.put(Superblock.fileOffset(copy), (long) Superblock.LENGTH_BYTES);
            for (int pair = 0; pair < StateRecord.PAIRS; pair++) {
                expected.put(StateRecord.pageFileOffset(pair, copy), (long) StateRecord.PAGE_LENGTH_BYTES);
            }
            if (copy == 0) {
                expected.put(CalibrationRecord.scratchFileOffset(), (long) CalibrationRecord.SCRATCH_LENGTH_BYTES);
                expected.put(CalibrationRecord.fileOffset(), (long) CalibrationRecord.LENGTH_BYTES);
            }
        }
        expected.put((long) Geometry.HEAD_LENGTH_BYTES, -1L);
        assertEquals(expected, rows);
    }

    @Test
    void shouldNameEachVerdict() throws IOException {
        Map<String, Boolean> rows = new LinkedHashMap<>();
        for (String line : section("| verdict | when | valid |")) {
            rows.put(cells(line).get(0), cells(line).get(2).startsWith("yes"));
        }
        Map<String, Boolean> expected = new LinkedHashMap<>();
        for (FrameVerdict verdict : FrameVerdict.values()) {
            expected.put(verdict.name(), verdict.isValid());
        }
        assertEquals(expected, rows);
    }

    @Test
    void shouldGiveTheLimitsOfTheCode() throws IOException {
        String text = document();
        for (long limit : new long[] {
            Geometry.MINIMUM_SEGMENT_LENGTH_BYTES,
            Geometry.MINIMUM_API_SEGMENT_LENGTH_BYTES,
            Geometry.MAXIMUM_SEGMENT_LENGTH_BYTES,
            Geometry.MAXIMUM_SEGMENT_COUNT,
            FrameDescriptor.MAXIMUM_FRAME_LENGTH_BYTES,
            FrameDescriptor.MAXIMUM_ENTRIES
        }) {
            assertTrue(text.substring(text.indexOf("## 12. Limits")).contains(Long.toString(limit)), "limit " + limit);
        }
        Geometry three = Geometry.of(4096, 3);
        assertEquals(2097152, three.fileOffset(0));
        assertEquals(2097152, three.fileOffset(12288));
        assertEquals(2105408, three.fileOffset(8256));
        assertTrue(
                text.contains("For N = 3 and L = 4096: position 0 lies at 2097152, position 12288 there again, position"
                        + " 8256 at 2105408."));
    }

    @Test
    void shouldComputeTheChecksumOfTheTestVector() throws IOException {
        ByteBuffer nine = ByteBuffer.allocateDirect(9).put("123456789".getBytes(StandardCharsets.US_ASCII));
        assertEquals(0xE3069283, new Crc32c().of(nine, 0, 9, 0));
        assertEquals(0xE3069283 ^ FormatExamples.SALT, new Crc32c().of(nine, 0, 9, FormatExamples.SALT));
        assertTrue(document().contains("`123456789` give `E3069283`"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"superblock", "state", "frame", "batch", "pad", "seal", "cursor"})
    void shouldShowTheBytesThatTheCodeWrites(String name) throws IOException {
        byte[] actual = FormatExamples.all().get(name);
        assertNotNull(actual);
        byte[] documented = example(name);
        assertArrayEquals(actual, documented, () -> "the code writes\n" + dump(actual));
        assertTrue(
                document().replaceAll("\\s+", " ").contains(quotedChecksums(name, actual)),
                () -> "the text should say " + quotedChecksums(name, actual));
    }

    @Test
    void shouldDecodeTheSuperblockOfTheExampleByCodeAndByDrawing() throws IOException {
        byte[] bytes = example("superblock");
        Superblock.Decoded decoded = Superblock.decode(direct(bytes));
        assertEquals(FormatExamples.SUPERBLOCK, decoded.superblock(), decoded.problem());

        Map<String, Object> values = values(bytes, documentDrawing(Superblock.class));
        assertEquals("FENCELIN", ascii(values, "magic"));
        assertEquals(1L, values.get("version"));
        assertEquals(64L, values.get("slotLength"));
        assertEquals((long) FormatExamples.SALT, values.get("salt"));
        assertEquals(1L, values.get("checksumId"));
        assertEquals(4096L, values.get("segmentLength"));
        assertEquals(4L, values.get("segmentCount"));
        assertEquals(1088L, values.get("maximumFrame"));
        assertEquals(0L, values.get("compatible"));
        assertEquals(0L, values.get("readOnlyCompatible"));
        assertEquals(0L, values.get("incompatible"));
        assertEquals(FormatExamples.SUPERBLOCK.creationTimeNs(), values.get("creationTime"));
        ByteBuffer id = ByteBuffer.wrap((byte[]) values.get("journalId")).order(ByteOrder.LITTLE_ENDIAN);
        assertEquals(FormatExamples.JOURNAL_ID.getMostSignificantBits(), id.getLong(0));
        assertEquals(FormatExamples.JOURNAL_ID.getLeastSignificantBits(), id.getLong(8));
    }

    @Test
    void shouldDecodeTheStateRecordOfTheExampleByCodeAndByDrawing() throws IOException {
        byte[] bytes = example("state");
        ByteBuffer page = ByteBuffer.allocateDirect(StateRecord.PAGE_LENGTH_BYTES);
        page.put(StateRecord.LENGTH_BYTES, bytes);
        assertEquals(FormatExamples.STATE, StateRecord.decode(page, 1, 1, FormatExamples.SALT));
        assertEquals(8256, StateRecord.fileOffset(3, 0));
        assertEquals(1056832, StateRecord.fileOffset(3, 1));

        Map<String, Object> values = values(bytes, documentDrawing(StateRecord.class));
        values.remove("crc");
        assertEquals(
                Map.of(
                        "version",
                        3L,
                        "lease",
                        16384L,
                        "floor",
                        0L,
                        "floorSequence",
                        0L,
                        "retained",
                        0L,
                        "epochStart",
                        0L,
                        "epoch",
                        1L,
                        "flags",
                        0L,
                        "durability",
                        3L),
                without(values, "reserved", "bootHash"));
        assertEquals(0x1a2b3c4dL, values.get("bootHash"));
    }

    @Test
    void shouldDecodeTheCursorOfTheExampleByCodeAndByDrawing() throws IOException {
        byte[] bytes = example("cursor");
        ByteBuffer file = ByteBuffer.allocateDirect(CursorRecord.FILE_LENGTH_BYTES);
        assertEquals(4224, CursorRecord.fileOffset(3));
        file.put(4224, bytes);
        assertEquals(FormatExamples.CURSOR, CursorRecord.newest(file));
        assertEquals(FormatExamples.CURSOR, CursorRecord.decode(file, 1, 1));

        Map<String, Object> values = values(bytes, documentDrawing(CursorRecord.class));
        assertEquals(3L, values.get("version"));
        assertEquals(192L, values.get("position"));
        assertEquals(3L, values.get("nextSequence"));
        assertEquals(1L, values.get("epoch"));
        assertEquals(1L, values.get("flags"));
        assertEquals(4L, values.get("userDataLength"));
        assertEquals("term" + "\0".repeat(28), ascii(values, "userData"));
        assertEquals(FormatExamples.CURSOR.timeNs(), values.get("time"));
        assertArrayEquals(Arrays.copyOfRange(FormatExamples.superblock(), 16, 32), (byte[]) values.get("journalId"));
    }

    @Test
    void shouldWriteTheCalibrationRecordAsItIsDrawn() throws IOException {
        List<Integer> costs =
                java.util.stream.IntStream.rangeClosed(1, 12).boxed().toList();
        CalibrationRecord record = new CalibrationRecord(2, 1_700_000_000_000_000_000L, 0x1a2b3c4d, costs);
        ByteBuffer buffer = direct(new byte[CalibrationRecord.LENGTH_BYTES]);
        record.encode(buffer);
        assertEquals(record, CalibrationRecord.decode(buffer));
        byte[] bytes = new byte[CalibrationRecord.LENGTH_BYTES];
        buffer.get(0, bytes);
        Map<String, Object> values = values(bytes, documentDrawing(CalibrationRecord.class));
        assertEquals("FENCECAL", ascii(values, "magic"));
        assertEquals(1L, values.get("version"));
        assertEquals(2L, values.get("strategy"));
        assertEquals(record.timeNs(), values.get("time"));
        assertEquals(0x1a2b3c4dL, values.get("processor"));
        ByteBuffer drawnCosts = ByteBuffer.wrap((byte[]) values.get("costs")).order(ByteOrder.LITTLE_ENDIAN);
        costs.forEach(cost -> assertEquals(cost, drawnCosts.getInt()));
        for (int bit = 0; bit < 8 * bytes.length; bit++) {
            buffer.put(bit / 8, (byte) (bytes[bit / 8] ^ 1 << bit % 8));
            assertNull(CalibrationRecord.decode(buffer), "bit " + bit);
            buffer.put(bit / 8, bytes[bit / 8]);
        }
    }

    @Test
    void shouldDecodeTheFramesOfTheExamplesByCodeAndByDrawing() throws IOException {
        assertFrame("frame", FormatExamples.FRAME_POSITION, FrameVerdict.DATA, 64, 0, 1);
        assertFrame("batch", FormatExamples.BATCH_POSITION, FrameVerdict.DATA, 80, 1, 2);
        assertFrame("pad", FormatExamples.PAD_POSITION, FrameVerdict.PAD, 640, 6, 0);
        assertFrame("seal", FormatExamples.SEAL_POSITION, FrameVerdict.SEAL, 3008, 7, 0);
    }

    /// The entry drawing has no class of its own: read the entries of the batch by its offsets 0, 4 and 8.
    @Test
    void shouldDecodeTheEntriesOfTheBatchByTheDrawing() throws IOException {
        ByteBuffer batch = ByteBuffer.wrap(example("batch")).order(ByteOrder.LITTLE_ENDIAN);
        int at = 40;
        for (int i = 0; i < 2; i++) {
            int length = batch.getInt(at);
            assertEquals(i + 1, batch.getInt(at + 4));
            assertEquals(
                    FormatExamples.BATCH_PAYLOADS.get(i),
                    new String(batch.array(), at + 8, length, StandardCharsets.US_ASCII));
            at += 8 + (length + 7) / 8 * 8;
        }
        assertEquals(batch.getInt(4), at);
    }

    @Test
    void shouldDrawTheWordsThatTheWriterShares() throws IOException {
        MemorySegment words = MemorySegment.ofBuffer(ByteBuffer.allocateDirect(RunFileDescriptor.LENGTH_BYTES));
        RunFile run = new RunFile(words);
        run.begin(FormatExamples.JOURNAL_ID, 640, 128);
        run.poison();
        run.lastFrameHint(576);
        run.recovered(
                new RecoveryReport(
                        RecoveryReport.Verdict.RECOVERED, "", 0, 0, 0, 7, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0, List.of()),
                99);
        byte[] bytes = words.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
        Map<String, Object> values = values(bytes, documentDrawing(RunFileDescriptor.class));
        assertEquals("FENCERUN", ascii(values, "magic"));
        assertEquals(1L, values.get("version"));
        assertEquals(640L, values.get("published"));
        assertEquals(128L, values.get("retained"));
        assertEquals(1L, values.get("poisoned"));
        assertEquals(0L, values.get("generation"));
        assertEquals(576L, values.get("lastFrame"));
        assertEquals(99L, values.get("opened"));
        assertEquals(2L, values.get("verdict"));
        assertEquals(7L, values.get("keptEntries"));
        assertEquals(128L, values.get("sealedBytes"));
        assertEquals(ProcessHandle.current().pid(), values.get("writerPid"));
        assertArrayEquals(Arrays.copyOfRange(FormatExamples.superblock(), 16, 32), (byte[]) values.get("journalId"));

        // As section 7 says.
        byte[] boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id"))
                .strip()
                .getBytes(StandardCharsets.US_ASCII);
        ByteBuffer id = ByteBuffer.allocateDirect(boot.length).put(boot);
        long low = new Crc32c().of(id, 0, 36, 0) & 0xFFFF_FFFFL;
        long high = new Crc32c().of(id, 18, 36, 0);
        assertEquals(high << 32 | low, values.get("bootHash"));
    }

    private static void assertFrame(
            String name, long position, FrameVerdict verdict, int length, long sequence, int entries)
            throws IOException {
        byte[] bytes = example(name);
        long fileOffset = FormatExamples.GEOMETRY.fileOffset(position);
        FrameReader reader = new FrameReader(
                (offset, destination, destinationOffset, lengthBytes) -> {
                    destination.asSlice(destinationOffset, lengthBytes).fill((byte) 0);
                    MemorySegment.copy(
                            MemorySegment.ofArray(bytes),
                            0,
                            destination,
                            destinationOffset + fileOffset - offset,
                            bytes.length);
                },
                FormatExamples.SUPERBLOCK);
        assertEquals(verdict, reader.certify(position, 1, 1), name);
        assertEquals(length, reader.length());
        assertEquals(sequence, reader.sequence());
        assertEquals(entries, reader.entries());

        List<Row> drawing = documentDrawing(FrameDescriptor.class).stream()
                .filter(row -> !row.type.isEmpty())
                .toList();
        Map<String, Object> values = values(bytes, drawing);
        assertEquals((long) length, values.get("length"));
        assertEquals(position, values.get("position"));
        assertEquals(sequence, values.get("sequence"));
        assertEquals(reader.timestamp(), values.get("timestamp"));
        assertEquals(1L, values.get("epoch"));
        assertEquals((long) reader.kind(), values.get("kind"));
        assertEquals((long) reader.flags(), values.get("flags"));
        assertEquals((long) entries, values.get("entries"));
        assertEquals((long) reader.checksum(), values.get("checksum"));
    }

    /// How the text in front of an example states its checksums.
    private static String quotedChecksums(String name, byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int stored = buffer.getInt(
                switch (name) {
                    case "superblock" -> Superblock.CRC_OFFSET;
                    case "state" -> StateRecord.CRC_OFFSET;
                    case "cursor" -> CursorRecord.CRC_OFFSET;
                    default -> FrameDescriptor.CHECKSUM_OFFSET;
                });
        String plain = "`%08x`".formatted(stored ^ FormatExamples.SALT);
        String salted = "`%08x`".formatted(stored);
        return switch (name) {
            case "superblock", "cursor" -> "first 124 bytes is " + salted;
            case "state" -> "first 60 bytes is " + plain + "; XOR the salt that is " + salted;
            case "frame" -> "[4, 64) is " + plain + "; salted " + salted;
            case "batch" -> "[4, 80) is " + plain + ", salted " + salted;
            default -> "Salted " + salted;
        };
    }

    private static Map<String, Object> values(byte[] bytes, List<Row> drawing) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        Map<String, Object> values = new LinkedHashMap<>();
        for (Row row : drawing) {
            Object value = switch (row.type) {
                case "u8" -> buffer.get(row.at) & 0xFFL;
                case "u16" -> buffer.getShort(row.at) & 0xFFFFL;
                case "i32" -> (long) buffer.getInt(row.at);
                case "i64" -> buffer.getLong(row.at);
                default -> Arrays.copyOfRange(bytes, row.at, row.at + row.lengthBytes());
            };
            values.put(row.field, value);
        }
        return values;
    }

    private static Map<String, Object> without(Map<String, Object> values, String... names) {
        Map<String, Object> rest = new LinkedHashMap<>(values);
        rest.keySet().removeAll(Arrays.asList(names));
        return rest;
    }

    private static String ascii(Map<String, Object> values, String field) {
        return new String((byte[]) values.getOrDefault(field, new byte[0]), StandardCharsets.US_ASCII);
    }

    private static ByteBuffer direct(byte[] bytes) {
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).clear();
    }

    private static String document() throws IOException {
        return Files.readString(ROOT.resolve("docs/FORMAT.md"));
    }

    private static List<Row> documentDrawing(Class<?> descriptor) throws IOException {
        String marker = "<!-- drawing: " + descriptor.getSimpleName() + " -->\n";
        String text = document();
        int from = text.indexOf(marker);
        assertTrue(from >= 0, "docs/FORMAT.md has no " + marker);
        String table = text.substring(from + marker.length());
        return rows(table.substring(0, table.indexOf("\n\n")).lines().toList());
    }

    private static List<Row> sourceDrawing(Class<?> descriptor) throws IOException {
        Path source =
                ROOT.resolve("journal/src/main/java/" + descriptor.getName().replace('.', '/') + ".java");
        return rows(Files.readAllLines(source).stream()
                .map(String::strip)
                .filter(line -> line.startsWith("///     |"))
                .map(line -> line.substring(3).strip())
                .toList());
    }

    private static List<Row> rows(List<String> lines) {
        List<Row> rows = new ArrayList<>();
        for (String line : lines) {
            List<String> cells = cells(line);
            if (cells.size() > 3
                    && !cells.get(0).isEmpty()
                    && Character.isDigit(cells.get(0).charAt(0))) {
                rows.add(new Row(Integer.parseInt(cells.get(0)), cells.get(1), cells.get(2)));
            }
        }
        assertTrue(rows.size() > 4, "no drawing in " + lines);
        return rows;
    }

    /// The body of the table with that head.
    private static List<String> section(String head) throws IOException {
        List<String> lines = document().lines().toList();
        int at = lines.indexOf(head);
        assertTrue(at >= 0, "docs/FORMAT.md has no table " + head);
        return lines.subList(at + 2, lines.size()).stream()
                .takeWhile(line -> line.startsWith("|"))
                .toList();
    }

    private static List<String> cells(String line) {
        String inner = line.strip();
        return Arrays.stream(inner.substring(1, inner.length() - 1).split("\\|", -1))
                .map(String::strip)
                .toList();
    }

    private static byte[] example(String name) throws IOException {
        Matcher block =
                Pattern.compile("```hex " + name + "\n(.*?)```", Pattern.DOTALL).matcher(document());
        assertTrue(block.find(), "docs/FORMAT.md has no example " + name);
        StringBuilder digits = new StringBuilder();
        for (String line : block.group(1).lines().toList()) {
            assertEquals(digits.length() / 2, Integer.parseInt(line.substring(0, 4), 16), "offset of: " + line);
            digits.append(line.substring(4).replace(" ", ""));
        }
        return HexFormat.of().parseHex(digits);
    }

    /// As in the document.
    private static String dump(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (int at = 0; at < bytes.length; at += 16) {
            text.append("%04x ".formatted(at));
            for (int i = at; i < Math.min(bytes.length, at + 16); i++) {
                text.append(i % 8 == 0 ? "  " : " ").append("%02x".formatted(bytes[i]));
            }
            text.append('\n');
        }
        return text.toString();
    }
}
