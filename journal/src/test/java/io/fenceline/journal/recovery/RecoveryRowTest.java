package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.format.FrameVerdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Walks every combination of inputs over the decision table, as it stands in the text, and over the code.
class RecoveryRowTest {
    private static final Path ROOT = Path.of(System.getProperty("fenceline.root", ".."));

    private record Input(
            boolean beyond,
            FrameVerdict verdict,
            boolean dependent,
            boolean straddles,
            boolean afterHole,
            boolean powerLost) {
        String slot() {
            return switch (verdict) {
                case UNREADABLE -> "unreadable";
                case UNKNOWN -> "unknown";
                case SEAL -> "seal";
                case DATA, PAD, SKIPPABLE -> "frame";
                default -> "invalid";
            };
        }
    }

    private record Line(
            String row,
            String zone,
            String slot,
            String ends,
            String dependent,
            String afterHole,
            String powerLost,
            String action) {
        static Line of(String text) {
            List<String> cells =
                    Arrays.stream(text.split("\\|", -1)).map(String::strip).toList();
            assertEquals(10, cells.size(), text);
            return new Line(
                    cells.get(1),
                    cells.get(2),
                    cells.get(3),
                    cells.get(4),
                    cells.get(5),
                    cells.get(6),
                    cells.get(7),
                    cells.get(8));
        }

        boolean matches(Input input) {
            boolean slotMatches = slot.equals(input.slot()) || (slot.equals("valid") && input.verdict.isValid());
            return is(zone, input.beyond, "beyond", "window")
                    && slotMatches
                    && is(ends, input.straddles, "beyond", "within")
                    && is(dependent, input.dependent, "yes", "no")
                    && is(afterHole, input.afterHole, "yes", "no")
                    && is(powerLost, input.powerLost, "yes", "no");
        }

        private static boolean is(String cell, boolean value, String whenTrue, String whenFalse) {
            assertTrue(Set.of("-", whenTrue, whenFalse).contains(cell), "unknown cell: " + cell);
            return cell.equals("-") || cell.equals(value ? whenTrue : whenFalse);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "docs/FORMAT.md",
                "journal/src/main/java/io/fenceline/journal/recovery/RecoveryRow.java",
            })
    void shouldMatchExactlyOneRowForEachCombinationOfInputs(String file) throws IOException {
        List<Line> table = table(file);
        Set<RecoveryRow> seen = EnumSet.noneOf(RecoveryRow.class);
        int inputs = 0;
        for (FrameVerdict verdict : FrameVerdict.values()) {
            for (int bits = 0; bits < 32; bits++) {
                Input input = new Input(
                        (bits & 1) != 0, verdict, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0);
                List<Line> matching =
                        table.stream().filter(line -> line.matches(input)).toList();
                assertEquals(1, matching.size(), input + " matches " + matching);
                RecoveryRow actual = RecoveryRow.of(
                        input.beyond,
                        input.verdict,
                        input.dependent,
                        input.straddles,
                        input.afterHole,
                        input.powerLost);
                assertEquals(matching.get(0).row, actual.name(), input.toString());
                seen.add(actual);
                inputs++;
            }
        }
        assertEquals(FrameVerdict.values().length * 32, inputs);
        assertEquals(EnumSet.allOf(RecoveryRow.class), seen, "rows that no input reaches");
    }

    private static List<Line> table(String file) throws IOException {
        List<String> lines = Files.readAllLines(ROOT.resolve(file)).stream()
                .map(line -> line.startsWith("/// ") ? line.substring(4) : line)
                .toList();
        int head = lines.indexOf("| row | zone | slot | ends | dependent | after hole | power-lost | action |");
        assertTrue(head >= 0, "no decision table in " + file);
        return lines.subList(head + 2, lines.size()).stream()
                .takeWhile(line -> line.startsWith("|"))
                .map(Line::of)
                .toList();
    }
}
