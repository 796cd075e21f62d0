package io.fenceline.tools;

/// Nobody reads standard output any more.
final class ClosedOutputException extends RuntimeException {
    private static final long serialVersionUID = 1;

    ClosedOutputException() {
        super("nobody reads standard output any more");
    }
}
