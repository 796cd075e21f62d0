package io.fenceline.journal;

import java.util.List;

/// What opening a journal found, and what it did about it. As text by [#toString], as JSON by [#toJson].
///
/// @param verdict         how the journal was left
/// @param reason          in one sentence
/// @param floor           the scan began here
/// @param lease           and ended here; nothing was written beyond
/// @param keptFrames      frames in [floor, lease) that are kept
/// @param keptEntries     entries in them
/// @param keptBytes       bytes of them
/// @param holes           runs of slots in front of a kept frame that hold none
/// @param sealedBytes     bytes of holes, and from the last kept frame to the lease: never to be used again
/// @param droppedFrames   whole frames that are not kept, because they depend on something that is lost
/// @param lastSequence    sequence of the last entry, -1 if there is none
/// @param lastPosition    position of the frame that holds the last entry, -1 if there is none any more
/// @param nextSequence    sequence that the next entry gets
/// @param nextPosition    where the next frame goes
/// @param scannedBytes    bytes read from the log
/// @param durationNs      of scan and repair
/// @param warnings        damage that did no harm, a sentence each
public record RecoveryReport(
        Verdict verdict,
        String reason,
        long floor,
        long lease,
        long keptFrames,
        long keptEntries,
        long keptBytes,
        long holes,
        long sealedBytes,
        long droppedFrames,
        long lastSequence,
        long lastPosition,
        long nextSequence,
        long nextPosition,
        long scannedBytes,
        long durationNs,
        List<String> warnings) {

    /// How the journal was left.
    public enum Verdict {
        /// Closed in order: nothing to recover.
        CLEAN,
        /// A crash: everything acknowledged is kept, what was under way is sealed.
        RECOVERED,
        /// A `PROCESS` journal met a crash of the machine: entries may be lost, which that level does not promise
        /// to keep.
        POWER_LOST
    }

    /// One JSON object, without line breaks.
    public String toJson() {
        StringBuilder json = new StringBuilder(512);
        json.append("{\"verdict\":\"").append(verdict).append("\",\"reason\":");
        quote(json, reason);
        json.append(",\"floor\":").append(floor);
        json.append(",\"lease\":").append(lease);
        json.append(",\"keptFrames\":").append(keptFrames);
        json.append(",\"keptEntries\":").append(keptEntries);
        json.append(",\"keptBytes\":").append(keptBytes);
        json.append(",\"holes\":").append(holes);
        json.append(",\"sealedBytes\":").append(sealedBytes);
        json.append(",\"droppedFrames\":").append(droppedFrames);
        json.append(",\"lastSequence\":").append(lastSequence);
        json.append(",\"lastPosition\":").append(lastPosition);
        json.append(",\"nextSequence\":").append(nextSequence);
        json.append(",\"nextPosition\":").append(nextPosition);
        json.append(",\"scannedBytes\":").append(scannedBytes);
        json.append(",\"durationNs\":").append(durationNs);
        json.append(",\"warnings\":[");
        for (int i = 0; i < warnings.size(); i++) {
            quote(i == 0 ? json : json.append(','), warnings.get(i));
        }
        return json.append("]}").toString();
    }

    /// Appends a JSON string.
    static void quote(StringBuilder json, String text) {
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < 0x20 || c >= 0x7F) {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        json.append('"');
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(512);
        line(text, "verdict", verdict + ": " + reason);
        line(text, "scanned", "[" + floor + ", " + lease + "), " + scannedBytes + " bytes read");
        line(text, "kept", keptEntries + " entries in " + keptFrames + " frames, " + keptBytes + " bytes");
        line(text, "sealed", sealedBytes + " bytes, " + holes + " holes");
        line(text, "dropped", droppedFrames + " frames that depend on something lost");
        line(
                text,
                "last entry",
                lastSequence < 0
                        ? "none"
                        : "sequence " + lastSequence + (lastPosition < 0 ? "" : " at position " + lastPosition));
        line(text, "next", "sequence " + nextSequence + " at position " + nextPosition);
        line(text, "took", durationNs / 1000 + " us");
        for (String warning : warnings) {
            line(text, "warning", warning);
        }
        return text.toString();
    }

    private static void line(StringBuilder text, String name, String value) {
        text.append(name).append(" ".repeat(12 - name.length())).append(value).append('\n');
    }
}
