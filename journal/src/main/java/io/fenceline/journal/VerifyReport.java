package io.fenceline.journal;

import java.util.List;

/// What reading a whole journal found. As text by [#toString], as JSON by [#toJson].
///
/// @param from               the oldest retained position: verification began here
/// @param to                 everything before it must be whole: what is published, or without a live writer the floor
/// @param frames             whole frames in [from, to), PADs included
/// @param entries            entries in them
/// @param firstSequence      of the first whole entry, -1 if there is none
/// @param lastSequence       of the last whole entry, -1 if there is none
/// @param damage             ranges that are not whole, the first [#MAXIMUM_RANGES] of them; none: the journal is whole
/// @param damagedRanges      number of all of them
/// @param damagedBytes       bytes in them
/// @param overwrittenBytes   given up by a live writer before they could be read; no damage
/// @param unrecoveredEnd     a writer that ended without closing may have written up to here; `to` if none did. What
///                           lies in [to, unrecoveredEnd) is judged by recovery, at the next opening
/// @param unrecoveredFrames  whole frames there
/// @param unrecoveredEntries entries in them
/// @param writerAlive        a writer has the journal open
/// @param durationNs         of it all
/// @param warnings           damage that did no harm, a sentence each
public record VerifyReport(
        long from,
        long to,
        long frames,
        long entries,
        long firstSequence,
        long lastSequence,
        List<DamagedRange> damage,
        long damagedRanges,
        long damagedBytes,
        long overwrittenBytes,
        long unrecoveredEnd,
        long unrecoveredFrames,
        long unrecoveredEntries,
        boolean writerAlive,
        long durationNs,
        List<String> warnings) {
    /// How many ranges are named.
    public static final int MAXIMUM_RANGES = 1000;

    /// Told how far verification is.
    @FunctionalInterface
    public interface Progress {
        /// @param verifiedBytes of `totalBytes`
        /// @param totalBytes    known from the start
        void onProgress(long verifiedBytes, long totalBytes);
    }

    /// Whether every byte in [from, to) is accounted for by whole frames.
    public boolean isWhole() {
        return damagedRanges == 0;
    }

    /// One JSON object, without line breaks.
    public String toJson() {
        StringBuilder json = new StringBuilder(512);
        json.append("{\"whole\":").append(isWhole());
        json.append(",\"from\":").append(from);
        json.append(",\"to\":").append(to);
        json.append(",\"frames\":").append(frames);
        json.append(",\"entries\":").append(entries);
        json.append(",\"firstSequence\":").append(firstSequence);
        json.append(",\"lastSequence\":").append(lastSequence);
        json.append(",\"damage\":[");
        for (int i = 0; i < damage.size(); i++) {
            DamagedRange range = damage.get(i);
            json.append(i == 0 ? "{\"from\":" : ",{\"from\":").append(range.from());
            json.append(",\"to\":").append(range.to());
            json.append(",\"fileOffset\":").append(range.fileOffset());
            json.append(",\"verdict\":");
            RecoveryReport.quote(json, range.verdict());
            json.append(",\"reason\":");
            RecoveryReport.quote(json, range.reason());
            json.append('}');
        }
        json.append("],\"damagedRanges\":").append(damagedRanges);
        json.append(",\"damagedBytes\":").append(damagedBytes);
        json.append(",\"overwrittenBytes\":").append(overwrittenBytes);
        json.append(",\"unrecoveredEnd\":").append(unrecoveredEnd);
        json.append(",\"unrecoveredFrames\":").append(unrecoveredFrames);
        json.append(",\"unrecoveredEntries\":").append(unrecoveredEntries);
        json.append(",\"writerAlive\":").append(writerAlive);
        json.append(",\"durationNs\":").append(durationNs);
        json.append(",\"warnings\":[");
        for (int i = 0; i < warnings.size(); i++) {
            RecoveryReport.quote(i == 0 ? json : json.append(','), warnings.get(i));
        }
        return json.append("]}").toString();
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(512);
        line(
                text,
                "verdict",
                isWhole() ? "WHOLE" : "CORRUPT: " + damagedRanges + " ranges, " + damagedBytes + " bytes");
        line(text, "verified", "[" + from + ", " + to + "): " + entries + " entries in " + frames + " frames");
        line(text, "sequences", firstSequence < 0 ? "none" : firstSequence + " to " + lastSequence);
        for (DamagedRange range : damage) {
            line(text, "corrupt", range.toString());
        }
        if (damagedRanges > damage.size()) {
            line(text, "corrupt", "and " + (damagedRanges - damage.size()) + " more ranges");
        }
        if (overwrittenBytes > 0) {
            line(text, "overwritten", overwrittenBytes + " bytes, by the writer meanwhile: no damage");
        }
        if (unrecoveredEnd > to) {
            line(
                    text,
                    "unrecovered",
                    "[" + to + ", " + unrecoveredEnd + "): " + unrecoveredEntries + " entries in " + unrecoveredFrames
                            + " whole frames; the last writer did not close, and recovery judges them");
        }
        line(text, "writer", writerAlive ? "alive" : "none");
        line(text, "took", durationNs / 1_000_000 + " ms");
        for (String warning : warnings) {
            line(text, "warning", warning);
        }
        return text.toString();
    }

    private static void line(StringBuilder text, String name, String value) {
        text.append(name).append(" ".repeat(13 - name.length())).append(value).append('\n');
    }
}
