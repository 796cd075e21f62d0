package io.fenceline.tools;

/// A problem that a command found itself: one line for the user, and the exit code.
final class CommandException extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final int exitCode;

    CommandException(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    int exitCode() {
        return exitCode;
    }
}
