package io.fenceline.bench.report;

/// What of an append is timed.
public enum Stage {
    APPEND("append", "append"),
    TAIL("tail", "append \u2192 tailer, other thread"),
    TAIL_PROCESS("tailProcess", "append \u2192 tailer, other process"),
    RESERVE("reserve", "reserve"),
    WRITE("write", "write"),
    PERSIST("persist", "persist"),
    PUBLISH("publish", "publish");

    private final String json;
    private final String title;

    Stage(String json, String title) {
        this.json = json;
        this.title = title;
    }

    /// Its name in files.
    public String json() {
        return json;
    }

    /// Its name for people.
    public String title() {
        return title;
    }

    public boolean isTail() {
        return this == TAIL || this == TAIL_PROCESS;
    }
}
