package io.fenceline.bench.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/// One self-contained HTML page that draws files of `--json`: it fetches nothing.
public final class ReportPage {
    private ReportPage() {}

    /// The page.
    ///
    /// @param files texts of files that [ResultsJson#check] accepts; at least one
    public static String of(List<String> files) {
        StringBuilder documents = new StringBuilder("[");
        for (String file : files) {
            // Inside a script element only "</script" and "<!--" end or change anything.
            documents
                    .append(documents.length() > 1 ? "," : "")
                    .append(file.strip().replace("<", "\\u003c"));
        }
        documents.append(']');
        return resource("page.html")
                .replace("/*UPLOT_LICENSE*/", resource("uplot/LICENSE"))
                .replace("/*UPLOT_CSS*/", resource("uplot/uPlot.min.css"))
                .replace("/*UPLOT_JS*/", resource("uplot/uPlot.iife.min.js"))
                .replace("/*PAGE_JS*/", resource("page.js"))
                .replace("/*DOCUMENTS*/", documents);
    }

    private static String resource(String name) {
        try (InputStream in = Objects.requireNonNull(ReportPage.class.getResourceAsStream(name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
