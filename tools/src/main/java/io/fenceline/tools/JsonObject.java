package io.fenceline.tools;

import java.util.List;

/// Builds one JSON object on one line, in ASCII: everything else is escaped, so that it is harmless on a terminal.
final class JsonObject {
    private final StringBuilder json = new StringBuilder(256).append('{');

    JsonObject put(String name, long value) {
        name(name).append(value);
        return this;
    }

    JsonObject put(String name, boolean value) {
        name(name).append(value);
        return this;
    }

    JsonObject put(String name, String value) {
        quote(name(name), value);
        return this;
    }

    JsonObject put(String name, JsonObject value) {
        name(name).append(value);
        return this;
    }

    JsonObject put(String name, List<String> values) {
        StringBuilder array = name(name).append('[');
        for (int i = 0; i < values.size(); i++) {
            quote(i == 0 ? array : array.append(','), values.get(i));
        }
        array.append(']');
        return this;
    }

    JsonObject putObjects(String name, List<JsonObject> values) {
        StringBuilder array = name(name).append('[');
        for (int i = 0; i < values.size(); i++) {
            (i == 0 ? array : array.append(',')).append(values.get(i));
        }
        array.append(']');
        return this;
    }

    JsonObject putNull(String name) {
        name(name).append("null");
        return this;
    }

    private StringBuilder name(String name) {
        if (json.length() > 1) {
            json.append(',');
        }
        quote(json, name);
        return json.append(':');
    }

    /// Appends a JSON string.
    static void quote(StringBuilder json, String text) {
        json.append('"');
        escape(json, text);
        json.append('"');
    }

    /// Appends what stands between the quotes of a JSON string.
    static void escape(StringBuilder json, CharSequence text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < 0x20 || c >= 0x7F) {
                json.append("\\u%04x".formatted((int) c));
            } else {
                json.append(c);
            }
        }
    }

    @Override
    public String toString() {
        return json + "}";
    }
}
