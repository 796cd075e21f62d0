package io.fenceline.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The page holds everything, and nothing gets out of its place.
class ReportPageTest {
    private static final String FILE =
            "{\"format\": \"fenceline-bench\", \"version\": 1, \"title\": \"%s\", \"series\": []}";
    private static final Pattern DOCUMENTS =
            Pattern.compile("<script id=\"documents\" type=\"application/json\">(.*?)</script>", Pattern.DOTALL);

    /// Goal: a hostile or odd title stays text. A browser ends a script element at `</script`, whatever JSON
    /// thinks.
    @Test
    void shouldKeepWhatFilesSayInsideTheirScript() {
        String hostile = FILE.formatted("</script><script>alert(1)</script><!-- /*PAGE_JS*/ $1 \\\\ \u00e4");
        String page = ReportPage.of(List.of(hostile, FILE.formatted("second")));
        Matcher matcher = DOCUMENTS.matcher(page);
        assertTrue(matcher.find());
        String inside = matcher.group(1);
        assertFalse(inside.contains("<"), inside);
        assertEquals("[" + hostile.replace("<", "\\u003c") + "," + FILE.formatted("second") + "]", inside);
        assertFalse(page.contains("<script>alert"));
    }

    /// Goal: it fetches nothing: no address in it that a browser would follow by itself.
    @Test
    void shouldFetchNothing() {
        String page = ReportPage.of(List.of(FILE.formatted("title")));
        assertTrue(page.contains("uPlot"));
        assertTrue(page.contains("Permission is hereby granted"), "the plotting library's license");
        assertTrue(page.contains("default-src 'none'"));
        for (String fetch : List.of(
                "<link", "<img", "<iframe", "@import", " src=", "url(", "fetch(", "XMLHttpRequest", "import(")) {
            assertFalse(page.contains(fetch), fetch);
        }
        assertFalse(Pattern.compile("/\\*[A-Z_]+\\*/").matcher(page).find(), "every place is filled");
    }

    @Test
    void shouldAcceptItsOwnFormat() {
        ResultsJson.check(FILE.formatted("title"));
        ResultsJson.check("{\"series\": [{\"a\": [1, {}]}], \"more\": {}, \"format\": \"fenceline-bench\"}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "x",
                "[]",
                "{",
                "{}",
                "{\"format\": \"other\", \"series\": []}",
                "{\"format\": \"fenceline-bench\"}",
                "{\"format\": \"fenceline-bench\", \"series\": {}}",
                "{\"format\": \"fenceline-bench\", \"version\": 2, \"series\": []}",
                "{\"format\": \"fenceline-bench\", \"series\": [}",
                "{\"format\": \"fenceline-bench\", \"series\": []} {}"
            })
    void shouldRefuseWhatIsNoResult(String text) {
        String problem = assertThrows(IllegalArgumentException.class, () -> ResultsJson.check(text))
                .toString();
        assertEquals(1, problem.lines().count(), problem);
        assertTrue(problem.contains("expected") || problem.contains("not JSON"), problem);
    }
}
